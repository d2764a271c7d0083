using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using Npgsql;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>
/// Moves sequences of the side that takes over past those of the side that is left (<see cref="SequencePair"/> says which). Only ever further in the direction of the
/// increment, so it may be repeated. To be called behind the fence: before it, values are still being handed out.
/// </summary>
public static class Sequences
{
    /// <summary>Values of one sequence that come from several: the furthest counts. An end is not passed.</summary>
    private const string Advance = """
        with asked as (select s, r, max(v) as high, min(v) as low from unnest($1::text[], $2::text[], $3::bigint[]) as t(s, r, v) group by 1, 2),
        next as (
            select q.*, case when increment_by > 0 then least(max_value, high::numeric + $4 * increment_by) else greatest(min_value, low::numeric + $4 * increment_by) end::bigint as v
            from asked join pg_catalog.pg_sequences q on q.schemaname = s and q.sequencename = r)
        select schemaname::text, sequencename::text, pg_catalog.setval(pg_catalog.format('%I.%I', schemaname, sequencename)::regclass, v) from next
        where last_value is null or case when increment_by > 0 then last_value < v else last_value > v end order by 1, 2
        """;

    /// <summary>Advances every sequence that has a partner which has handed out values; returns those that moved.</summary>
    /// <param name="from">The side that is left.</param>
    /// <param name="to">The side that takes over.</param>
    /// <param name="mappings">Tables, from the one to the other.</param>
    /// <param name="margin">Values skipped beyond the last one handed out, in increments of the sequence that is moved.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<IReadOnlyList<TableName>> AdvanceAsync(
        NpgsqlDataSource from, NpgsqlDataSource to, IReadOnlyList<TableMapping> mappings, long margin, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(to);
        await using var session = await to.OpenConnectionAsync(cancellationToken);
        await using (var sync = new NpgsqlCommand("set synchronous_commit = on", session))
        {
            await sync.ExecuteNonQueryAsync(cancellationToken);
        }

        return await AdvanceAsync(from, to, session, mappings, margin, cancellationToken);
    }

    /// <summary>The same, where a session of the side that takes over moves them: in its transaction they are written before what it commits.</summary>
    public static async Task<IReadOnlyList<TableName>> AdvanceAsync(
        NpgsqlDataSource from, NpgsqlDataSource to, NpgsqlConnection session, IReadOnlyList<TableMapping> mappings, long margin, CancellationToken cancellationToken)
    {
        var asked = Moved(await ReadAsync(from, to, mappings, cancellationToken));
        await using var command = new NpgsqlCommand(Advance, session);
        command.Parameters.Add(new NpgsqlParameter { Value = asked.Select(sequence => sequence.To.Schema).ToArray() });
        command.Parameters.Add(new NpgsqlParameter { Value = asked.Select(sequence => sequence.To.Name).ToArray() });
        command.Parameters.Add(new NpgsqlParameter { Value = asked.Select(sequence => sequence.Last).ToArray() });
        command.Parameters.Add(new NpgsqlParameter { Value = margin });
        var advanced = new List<TableName>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            advanced.Add(new TableName(reader.GetString(0), reader.GetString(1)));
        }

        return advanced;
    }

    /// <summary>Sequences of the side that takes over that would be advanced at most.</summary>
    public static async Task<IReadOnlyList<TableName>> ListAsync(NpgsqlDataSource from, NpgsqlDataSource to, IReadOnlyList<TableMapping> mappings, CancellationToken cancellationToken) =>
        [.. Moved(await ReadAsync(from, to, mappings, cancellationToken)).Select(sequence => sequence.To).Distinct()];

    /// <summary>
    /// What would keep the side that takes over from handing out values where the other one ends. Errors: nothing numbers a column that a sequence numbers on the side that is left; a role may not read or set one.
    /// Warnings: a sequence that no column owns is on the side that is left only.
    /// </summary>
    /// <param name="from">The side that is left.</param>
    /// <param name="left">What it is called: <c>source</c> or <c>target</c>.</param>
    /// <param name="to">The side that takes over.</param>
    /// <param name="taking">What that is called.</param>
    /// <param name="mappings">Tables, from the one to the other.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<IReadOnlyList<Finding>> CheckAsync(
        NpgsqlDataSource from, string left, NpgsqlDataSource to, string taking, IReadOnlyList<TableMapping> mappings, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        foreach (var (sequence, partners, unnumbered) in await ReadAsync(from, to, mappings, cancellationToken))
        {
            findings.AddRange(unnumbered.Select(column => new Finding(
                Severity.Error, "sequence-missing",
                $"Sequence {sequence.Name} numbers {column.Table}.{column.Column} in the {left}, and nothing numbers it in the {taking}: a row without a value would be refused there",
                $"In the {taking}: ALTER TABLE {column.Table.Sql} ALTER COLUMN {TableName.Quote(column.Column)} ADD GENERATED BY DEFAULT AS IDENTITY; or, where the application draws values itself, a sequence of the same name")
            { Table = column.Table.ToString(), Column = column.Column }));
            if (partners.Count == 0 && unnumbered.Count == 0 && sequence is { IsOwned: false, Numbers.Count: 0 })
            {
                findings.Add(new Finding(
                    Severity.Warning, "sequence-alone", $"Sequence {sequence.Name} of the {left} has no partner in the {taking}, so that its values do not go on there", $"CREATE SEQUENCE in the {taking}, where the application uses it"));
            }

            var moved = partners.Count > 0;
            findings.AddRange(moved && sequence.LacksRights.Contains("SELECT") ? [Rights(sequence, left, ["SELECT"])] : []);
            findings.AddRange(partners.Where(partner => partner.LacksRights.Count > 0).Select(partner => Rights(partner, taking, partner.LacksRights)));
        }

        return [.. findings.Distinct().OrderByDescending(finding => finding.Severity)];
    }

    private static Finding Rights(KnownSequence sequence, string side, IReadOnlyList<string> rights) => new(
        Severity.Error, "sequence-permission", $"The role lacks {string.Join(", ", rights)} on sequence {sequence.Name} in the {side}: it could not be moved on", $"In the {side}: GRANT {string.Join(", ", rights)} ON SEQUENCE {sequence.Name.Sql} to it");

    private static List<(TableName To, long Last)> Moved(IReadOnlyList<SequencePair> pairs) =>
        [.. pairs.Where(pair => pair.From.Last is not null).SelectMany(pair => pair.To.Select(to => (to.Name, pair.From.Last!.Value)))];

    private static async Task<IReadOnlyList<SequencePair>> ReadAsync(NpgsqlDataSource from, NpgsqlDataSource to, IReadOnlyList<TableMapping> mappings, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);
        ArgumentNullException.ThrowIfNull(mappings);
        var left = SequenceCatalog.ReadAsync(from, [.. mappings.Select(mapping => mapping.Source)], cancellationToken);
        var taking = SequenceCatalog.ReadAsync(to, [.. mappings.Select(mapping => mapping.Target)], cancellationToken);
        await Task.WhenAll(left, taking);
        return SequencePair.Of(await left, await taking, mappings);
    }
}
