using System.Globalization;
using System.Numerics;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using Npgsql;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>
/// Moves sequences of the side that takes over past those of the side that is left (<see cref="SequencePair"/> says which), and past what their columns hold where one look into an index tells. Only ever further in the
/// direction of the increment, so it may be repeated. To be called behind the fence: before it, values are still being handed out.
/// </summary>
public static class Sequences
{
    /// <summary>
    /// Values of one sequence that come from several: the furthest counts. An end is not passed; what a column holds counts only where it leaves the margin before the end (the check of sequences refuses it before), for
    /// an application may have put in any value, and a sequence at its end gives none. One that was never called stays where it begins further on.
    /// </summary>
    private const string Advance = """
        with asked as (select s, r, v::numeric as v, c, n from unnest($1::text[], $2::text[], $3::text[], $4::boolean[], $5::bigint[]) as t(s, r, v, c, n)),
        next as (
            select q.schemaname, q.sequencename, q.increment_by, q.min_value, q.max_value, q.last_value, max(a.n) as coming,
                case when q.increment_by > 0 then least(q.max_value, max(a.v) + $6 * q.increment_by) else greatest(q.min_value, min(a.v) + $6 * q.increment_by) end as v
            from asked a join pg_catalog.pg_sequences q on q.schemaname = a.s and q.sequencename = a.r
            where not a.c or case when q.increment_by > 0 then a.v + $6 * q.increment_by <= q.max_value else a.v + $6 * q.increment_by >= q.min_value end
            group by 1, 2, 3, 4, 5, 6)
        select schemaname::text, sequencename::text, pg_catalog.setval(pg_catalog.format('%I.%I', schemaname, sequencename)::regclass, v::bigint) from next
        where v between min_value and max_value and case
            when last_value is not null then case when increment_by > 0 then last_value < v else last_value > v end
            when coming is not null then case when increment_by > 0 then coming <= v else coming >= v end
            else true end
        order by 1, 2
        """;

    /// <summary>Advances every sequence that has a partner which has handed out values, or begins further on, or whose column holds more; returns those that moved.</summary>
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
        var asked = await AskedAsync(await ReadAsync(from, to, mappings, cancellationToken), session, cancellationToken);
        await using var command = new NpgsqlCommand(Advance, session);
        command.Parameters.Add(new NpgsqlParameter { Value = asked.Select(value => value.To.Name.Schema).ToArray() });
        command.Parameters.Add(new NpgsqlParameter { Value = asked.Select(value => value.To.Name.Name).ToArray() });
        command.Parameters.Add(new NpgsqlParameter { Value = asked.Select(value => value.Value.ToString(CultureInfo.InvariantCulture)).ToArray() });
        command.Parameters.Add(new NpgsqlParameter { Value = asked.Select(value => value.OfColumn).ToArray() });
        command.Parameters.Add(new NpgsqlParameter { Value = asked.Select(value => value.To.Coming).ToArray() });
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
    public static async Task<IReadOnlyList<TableName>> ListAsync(NpgsqlDataSource from, NpgsqlDataSource to, IReadOnlyList<TableMapping> mappings, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(to);
        await using var session = await to.OpenConnectionAsync(cancellationToken);
        return [.. (await AskedAsync(await ReadAsync(from, to, mappings, cancellationToken), session, cancellationToken)).Select(value => value.To.Name).Distinct()];
    }

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
        var (pairs, numbering) = await ReadAsync(from, to, mappings, cancellationToken);
        foreach (var (sequence, partners, unnumbered) in pairs)
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

        // What its column holds may move one that nothing on the other side numbers with, too.
        findings.AddRange(numbering.Where(sequence => sequence is { Indexed.Count: > 0, Cycles: false, LacksRights.Count: > 0 }).Select(sequence => Rights(sequence, taking, sequence.LacksRights)));
        return [.. findings.Distinct().OrderByDescending(finding => finding.Severity)];
    }

    private static Finding Rights(KnownSequence sequence, string side, IReadOnlyList<string> rights) => new(
        Severity.Error, "sequence-permission", $"The role lacks {string.Join(", ", rights)} on sequence {sequence.Name} in the {side}: it could not be moved on", $"In the {side}: GRANT {string.Join(", ", rights)} ON SEQUENCE {sequence.Name.Sql} to it");

    /// <summary>Every value that a sequence has to go past, with where it comes from.</summary>
    private static async Task<IReadOnlyList<(KnownSequence To, BigInteger Value, bool OfColumn)>> AskedAsync(
        (IReadOnlyList<SequencePair> Pairs, IReadOnlyList<KnownSequence> Taking) known, NpgsqlConnection session, CancellationToken cancellationToken)
    {
        var moves = SequenceMove.Of(known.Pairs, known.Taking);
        var asked = moves.SelectMany(move => move.Left.Select(value => (move.To, value, OfColumn: false))).ToList();
        var columns = moves.Where(move => !move.To.Cycles).SelectMany(move => move.To.Indexed.Select(column => (move.To, Column: column))).ToList();
        if (columns.Count == 0)
        {
            return asked;
        }

        // Where a side is opened, its tables are locked: by the session that has the locks.
        await using var command = new NpgsqlCommand(string.Join(" union all ", columns.Select((known, at) => string.Create(
            CultureInfo.InvariantCulture,
            $"select {at}, pg_catalog.trunc({(known.To.Increment > 0 ? "max" : "min")}({TableName.Quote(known.Column.Column)})::numeric)::text from {known.Column.Table.Sql}"))), session);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            // Neither NaN nor infinity numbers anything.
            if (!reader.IsDBNull(1) && BigInteger.TryParse(reader.GetString(1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value))
            {
                asked.Add((columns[reader.GetInt32(0)].To, value, true));
            }
        }

        return asked;
    }

    private static async Task<(IReadOnlyList<SequencePair> Pairs, IReadOnlyList<KnownSequence> Taking)> ReadAsync(
        NpgsqlDataSource from, NpgsqlDataSource to, IReadOnlyList<TableMapping> mappings, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);
        ArgumentNullException.ThrowIfNull(mappings);
        var left = SequenceCatalog.ReadAsync(from, [.. mappings.Select(mapping => mapping.Source)], cancellationToken);
        var taking = SequenceCatalog.ReadAsync(to, [.. mappings.Select(mapping => mapping.Target)], cancellationToken);
        await Task.WhenAll(left, taking);
        return (SequencePair.Of(await left, await taking, mappings), await taking);
    }
}
