using System.Globalization;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Postgres.Comparing;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.SelfTest;
using CdcMigrator.Service.Api;
using Npgsql;

namespace CdcMigrator.Service.SelfTest;

/// <summary>
/// Rule R6: rows of a scratch copy are made wrong in every way that some way of comparing is known to miss, and the comparison of this migration, on its own servers and
/// with its own sessions, has to find each of them and no other. Needs no running service; the migration's tables are not touched.
/// </summary>
public static class VerificationSelfTest
{
    private const int MostNamed = 20;

    /// <summary>Runs the test. Leaves nothing in either database but the control schemas, which are created where they are not there yet.</summary>
    /// <param name="definition">The migration file.</param>
    /// <param name="cancellationToken">Gives up; the scratch tables are dropped.</param>
    /// <exception cref="FaultException">
    /// NotAllowed: the source is not PostgreSQL, is a standby, or another self-test runs. Unreachable; Configuration: a role may not create tables in the control schema.
    /// </exception>
    public static Task<SelfTestReport> RunAsync(MigrationDefinition definition, CancellationToken cancellationToken) =>
        RunAsync(definition, (source, target) => new PostgresSides(source, target, definition.Name, () => null), Enum.GetValues<ScratchWay>(), cancellationToken);

    /// <summary>The test of sides that are given: tests of the test put in some that hash otherwise.</summary>
    internal static async Task<SelfTestReport> RunAsync(
        MigrationDefinition definition, Func<NpgsqlDataSource, NpgsqlDataSource, PostgresSides> open, IReadOnlyList<ScratchWay> ways, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(definition);
        if (definition.Source.Kind != SourceKind.PostgreSql)
        {
            throw new FaultException(FaultKind.NotAllowed, "self-test-source", "The self-test makes its scratch tables in PostgreSQL, and this source is none", "What a MariaDB source is compared by is hashed in cdcm itself; 'cdcm verify start' compares it");
        }

        await using var source = PostgresConnections.CreateVerify(definition.Source.Connection);
        await using var target = PostgresConnections.CreateVerify(definition.Target.Connection);
        var sides = open(source, target);

        // A standby is refused by name before anything is created.
        await using (await sides.OpenSourceAsync(cancellationToken))
        {
        }

        await using var sourceControl = PostgresConnections.CreateControl(definition.Source.Connection);
        await using var targetControl = PostgresConnections.CreateControl(definition.Target.Connection);
        await using var scratch = await ScratchTables.CreateAsync(sourceControl, targetControl, cancellationToken);
        var tables = await ReadTablesAsync(source, target, ways, cancellationToken);
        var found = Enum.GetValues<SeedKind>().ToDictionary(kind => kind, kind => new SelfTestKind(Name(kind.ToString()), Seeds.Describe(kind), 0, 0, []));
        var control = new SelfTestControl(0, 0);
        foreach (var (way, table) in tables)
        {
            control = Plus(control, await FoundRows.CompareAsync(table, sides, cancellationToken), []);
            foreach (var seed in Seeds.All)
            {
                await scratch.DamageAsync(way, seed, cancellationToken);
                var rows = await FoundRows.CompareAsync(table, sides, cancellationToken);
                found[seed.Kind] = Judge(found[seed.Kind], way, seed, rows);
                control = Plus(control, rows, seed.Rows);
                await scratch.MendAsync(way, seed, cancellationToken);
            }

            control = Plus(control, await FoundRows.CompareAsync(table, sides, cancellationToken), []);
        }

        return new SelfTestReport(
            control.Reported == 0 && found.Values.All(kind => kind.Passed), await VersionAsync(source, cancellationToken), await VersionAsync(target, cancellationToken),
            tables[0].Table.Hashing == HashPlace.Database ? "database" : "here", [.. found.Values], control);
    }

    private static SelfTestKind Judge(SelfTestKind so, ScratchWay way, Seed seed, FoundRows rows)
    {
        var missed = seed.Rows.Where(row => !rows.Has(row, way)).ToList();
        var named = missed.Select(row => string.Create(CultureInfo.InvariantCulture, $"{Name(way.ToString())}: row {row.Number}{(row.Columns.Count == 0 ? "" : $" {string.Join(',', row.Columns)}")}"));
        return so with { Seeded = so.Seeded + seed.Rows.Count, Found = so.Found + seed.Rows.Count - missed.Count, Missed = [.. so.Missed.Concat(named).Take(MostNamed)] };
    }

    /// <summary>Rows but the seeded ones.</summary>
    private static SelfTestControl Plus(SelfTestControl so, FoundRows rows, IReadOnlyList<SeededRow> seeded)
    {
        var numbers = seeded.Select(row => row.Number).ToHashSet();
        return new SelfTestControl(
            so.Compared + rows.Rows - seeded.Count(row => row.Kind != DifferenceKind.Extra), so.Reported + rows.Wrong.Keys.Count(number => !numbers.Contains(number)));
    }

    private static async Task<IReadOnlyList<(ScratchWay Way, ComparedTable Table)>> ReadTablesAsync(
        NpgsqlDataSource source, NpgsqlDataSource target, IReadOnlyList<ScratchWay> ways, CancellationToken cancellationToken)
    {
        var tables = await ComparedTables.ReadAsync(source, target, [.. ways.Select(ScratchTables.Mapping)], cancellationToken);
        var pairs = ways.Zip(tables).ToList();
        foreach (var (way, table) in pairs)
        {
            if (table.Unverifiable is { } reason || (table.Order == ChunkOrder.KeyRanges) != (way == ScratchWay.Ranges))
            {
                throw new FaultException(FaultKind.Internal, "self-test-table", $"The scratch table {table.Source} is not compared as it should be: {table.Unverifiable ?? table.Order.ToString()}");
            }
        }

        return pairs;
    }

    private static async Task<string> VersionAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("select pg_catalog.current_setting('server_version')");
        return (string)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary><c>NullOrEmpty</c> as <c>null-or-empty</c>.</summary>
    private static string Name(string kind) => string.Concat(kind.Select((letter, i) => char.IsUpper(letter) && i > 0 ? $"-{char.ToLowerInvariant(letter)}" : $"{char.ToLowerInvariant(letter)}"));
}
