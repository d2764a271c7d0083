using System.Globalization;
using System.Numerics;
using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.Checking;

/// <summary>A PostgreSQL database as the checks of schemas, sequences and migration tools see it. Its own queries: what checks the applier must not share its mistakes.</summary>
/// <param name="database">Sessions that only read, with an empty search path, under which the catalog qualifies every name.</param>
/// <param name="readsFurthest">Whether columns are asked for their furthest value: of the side that takes over.</param>
public sealed class PostgresCheckedSide(NpgsqlDataSource database, bool readsFurthest) : ICheckedSide
{
    /// <inheritdoc />
    public Task<IReadOnlyDictionary<TableName, SchemaTable>> ReadTablesAsync(IReadOnlyCollection<TableName> names, CancellationToken cancellationToken) => RunAsync(async () =>
    {
        var tables = new Dictionary<TableName, SchemaTable>();
        await QueryAsync(CheckedCatalog.Tables, names, row => tables[Name(row)] = new SchemaTable(Name(row), []) { HasReplicaIdentity = row.GetBoolean(2), BrokenIndexes = row.GetFieldValue<string[]>(3) }, cancellationToken);
        var columns = tables.Keys.ToDictionary(name => name, _ => new List<SchemaColumn>());
        await QueryAsync(CheckedCatalog.Columns, names, row => columns[Name(row)].Add(new SchemaColumn(row.GetString(2), row.GetString(3), row.GetBoolean(4))
        {
            Default = row.GetString(7).Length > 0 ? null : Text(row, 5),
            Identity = row.GetString(6) switch { "a" => "always", "d" => "by default", _ => "" },
            Generated = row.GetString(7).Length > 0 ? Text(row, 5) : null,
            Collation = Text(row, 8),
        }), cancellationToken);
        var keys = tables.Keys.ToDictionary(name => name, _ => new List<SchemaKey>());
        await QueryAsync(CheckedCatalog.Keys, names, row => keys[Name(row)].Add(new SchemaKey(row.GetString(2), row.GetFieldValue<string[]>(3), row.GetBoolean(4))
        {
            IsValid = row.GetBoolean(5),
            IsImmediate = row.GetBoolean(6),
            NullsNotDistinct = row.GetBoolean(7),
            Predicate = Text(row, 8),
        }), cancellationToken);
        var constraints = tables.Keys.ToDictionary(name => name, _ => new List<SchemaConstraint>());
        await QueryAsync(CheckedCatalog.Constraints, names, row => constraints[Name(row)].Add(new SchemaConstraint(row.GetString(2), row.GetString(3), row.GetString(4), row.GetBoolean(5))), cancellationToken);
        var triggers = tables.Keys.ToDictionary(name => name, _ => new List<SchemaTrigger>());
        await QueryAsync(CheckedCatalog.Triggers, names, row => triggers[Name(row)].Add(new SchemaTrigger(row.GetString(2), row.GetBoolean(3), row.GetBoolean(4))), cancellationToken);
        return (IReadOnlyDictionary<TableName, SchemaTable>)tables.ToDictionary(table => table.Key, table => table.Value with
        {
            Columns = columns[table.Key],
            Keys = keys[table.Key],
            Constraints = constraints[table.Key],
            Triggers = triggers[table.Key],
        });
    });

    /// <inheritdoc />
    public Task<IReadOnlyList<SequenceFact>> ReadSequencesAsync(IReadOnlyCollection<TableName> names, CancellationToken cancellationToken) => RunAsync(async () =>
    {
        var facts = new List<(SequenceFact Fact, bool IsNumber, string Sql)>();
        await QueryAsync(CheckedCatalog.Sequences, names, row =>
        {
            // Where one that was never called begins is in the sequence itself, which takes a right of its own.
            if (!row.GetBoolean(10) || (row.IsDBNull(8) && !row.GetBoolean(11)))
            {
                throw new FaultException(FaultKind.Configuration, "permission", $"The role may not read sequence {row.GetString(3)}", "GRANT SELECT on it to the migration's role");
            }

            facts.Add((new SequenceFact(Name(row), row.GetString(2), row.GetString(3))
            {
                Increment = row.GetInt64(4),
                Least = row.GetInt64(5),
                Greatest = row.GetInt64(6),
                Cycles = row.GetBoolean(7),
                Last = row.IsDBNull(8) ? null : row.GetInt64(8),
                IsIndexed = row.GetBoolean(13),
                IsUnique = row.GetBoolean(14),
            }, row.GetBoolean(9), row.GetString(12)));
        }, cancellationToken);
        var result = new List<SequenceFact>();
        foreach (var (read, isNumber, sql) in facts)
        {
            var fact = read.Last is null ? await BeginningAsync(read, sql, cancellationToken) : read;
            result.Add(readsFurthest && isNumber ? fact with { Furthest = await FurthestAsync(fact, cancellationToken) } : fact);
        }

        return (IReadOnlyList<SequenceFact>)result;
    });

    /// <inheritdoc />
    public Task<IReadOnlyList<HistoryFact>> ReadHistoryAsync(CancellationToken cancellationToken) => RunAsync(async () =>
    {
        var tables = new List<TableName>();
        await using (var command = database.CreateCommand(CheckedCatalog.Histories))
        {
            command.Parameters.Add(new NpgsqlParameter { Value = HistoryTool.All.Select(tool => tool.TableName).ToArray() });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                tables.Add(Name(reader));
            }
        }

        var facts = new List<HistoryFact>();
        foreach (var table in tables)
        {
            var tool = HistoryTool.All.First(known => known.TableName == table.Name);
            await using var command = database.CreateCommand($"select v::text, s::text, t from ({tool.Sql(table.Sql)}) as h(v, s, t)");
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var rows = new List<(string, string?, string)>();
            while (await reader.ReadAsync(cancellationToken))
            {
                rows.Add((reader.GetString(0), Text(reader, 1), reader.GetString(2)));
            }

            facts.Add(tool.Of(table, rows));
        }

        return (IReadOnlyList<HistoryFact>)facts;
    });

    private async Task<SequenceFact> BeginningAsync(SequenceFact fact, string sequence, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand($"select last_value, is_called from {sequence}");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return !await reader.ReadAsync(cancellationToken) ? fact : reader.GetBoolean(1) ? fact with { Last = reader.GetInt64(0) } : fact with { Coming = reader.GetInt64(0) };
    }

    private async Task<BigInteger?> FurthestAsync(SequenceFact fact, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand($"select pg_catalog.trunc({(fact.Increment > 0 ? "max" : "min")}({TableName.Quote(fact.Column)})::numeric)::text from {fact.Table.Sql}");
        return await command.ExecuteScalarAsync(cancellationToken) is string text && BigInteger.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : null;
    }

    private async Task QueryAsync(string sql, IReadOnlyCollection<TableName> names, Action<NpgsqlDataReader> row, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter { Value = names.Select(name => name.Schema).ToArray() });
        command.Parameters.Add(new NpgsqlParameter { Value = names.Select(name => name.Name).ToArray() });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            row(reader);
        }
    }

    private static TableName Name(NpgsqlDataReader row) => new(row.GetString(0), row.GetString(1));

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private static async Task<T> RunAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }
}
