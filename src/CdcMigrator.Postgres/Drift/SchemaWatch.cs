using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Postgres.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.Drift;

/// <summary>
/// Looks at the catalogs of both sides again and again (invariant A11): drift is named before an event meets it, and what no event tells
/// (a column dropped and added again, rows rewritten by a change of type, a table of the same name that is another one) is noticed at all.
/// Thread-safe, for it keeps nothing; several processes may look at once.
/// </summary>
/// <param name="source">The source.</param>
/// <param name="target">The target, with its control schema.</param>
/// <param name="migration">Name of the migration.</param>
/// <param name="mappings">Its tables.</param>
/// <param name="copiesNewTables">Whether the log copies the rows of a table that is added later (the embedded one does).</param>
/// <param name="namesValues">Whether a value in the log can be read without knowing its type, so that a change of type needs no halt.</param>
/// <param name="publication">Publication by which the log is fed; null where that is not known, or looked at elsewhere.</param>
public sealed class SchemaWatch(
    NpgsqlDataSource source, NpgsqlDataSource target, string migration, IReadOnlyList<TableMapping> mappings, bool copiesNewTables, bool namesValues, string? publication = null)
{
    private readonly ShapeStore store = new(target, migration);

    /// <summary>Compares both sides and records what the source looks like.</summary>
    /// <exception cref="FaultException">Unreachable: a side does not answer; nothing is known then.</exception>
    public async Task<SchemaState> LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            var recorded = await store.ReadAsync(cancellationToken);
            var begunAgain = await SnapshotRuns.ReadBegunAgainAsync(target, migration, cancellationToken);
            var here = await TableShapes.ReadAsync(source, [.. mappings.Select(mapping => (mapping.Source, recorded.GetValueOrDefault(mapping.Source.ToString()).Shape?.Oid ?? 0))], cancellationToken);
            var there = await TableShapes.ReadAsync(target, [.. mappings.Select(mapping => (mapping.Target, 0u))], cancellationToken);
            if (publication is null)
            {
                return await CompareAsync(recorded, here, there, new Dictionary<TableName, string>(), begunAgain, cancellationToken);
            }

            TableName[] tables = [.. mappings.Select(mapping => mapping.Source)];
            var entries = await PublishedTables.ReadEntriesAsync(source, publication, tables, cancellationToken);
            var gaps = await PublishedTables.ReadGapsAsync(source, publication, tables, cancellationToken);
            return await CompareAsync(
                recorded, here.ToDictionary(table => table.Key, table => table.Value with { Published = entries.GetValueOrDefault(table.Key)?.ToString() ?? "" }), there, gaps, begunAgain, cancellationToken);
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }

    /// <summary>A table is about to be copied again: what it looks like now is what it is compared with from now on.</summary>
    /// <exception cref="FaultException">Unreachable. Configuration: the source has no such table.</exception>
    public async Task AcceptAsync(TableName table, CancellationToken cancellationToken)
    {
        try
        {
            // By what it is published now, or nobody would notice what is altered before the next look. Where changes are left out at this moment that is said at the next one.
            var published = publication is null ? null : (await PublishedTables.ReadEntriesAsync(source, publication, [table], cancellationToken)).GetValueOrDefault(table);
            var here = await TableShapes.ReadAsync(source, [(table, 0u)], cancellationToken);
            var shape = here.GetValueOrDefault(table) ?? throw new FaultException(
                FaultKind.Configuration, "missing-table", $"The source has no table {table}", "Correct 'tables:' in the migration file");
            await store.AcceptAsync(table, shape with { Published = published?.ToString() ?? "" }, cancellationToken);
            await SnapshotRuns.AcceptAsync(target, migration, table, cancellationToken);
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }

    private async Task<SchemaState> CompareAsync(
        IReadOnlyDictionary<string, (TableShape Shape, string? ResyncReason)> recorded, IReadOnlyDictionary<TableName, TableShape> here,
        IReadOnlyDictionary<TableName, TableShape> there, IReadOnlyDictionary<TableName, string> gaps, IReadOnlySet<string> begunAgain,
        CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        var halted = new Dictionary<TableName, Fault>();
        var record = new List<(TableName Source, TableShape Shape, string? ResyncReason)>();
        foreach (var mapping in mappings)
        {
            if (!there.TryGetValue(mapping.Target, out var into))
            {
                continue; // The routes say so.
            }

            var known = recorded.TryGetValue(mapping.Source.ToString(), out var was);
            var now = here.GetValueOrDefault(mapping.Source);
            var drift = DriftRules.Compare(mapping, known ? was.Shape : null, now, known ? MovedTo(was.Shape, mapping.Source, here) : null, into);
            var reason = drift.ResyncReason ?? (!known && recorded.Count > 0 && !copiesNewTables ? "the table was added after the migration had begun: rows it had then are not in the log" : null);
            findings.AddRange(drift.Findings);
            if (gaps.TryGetValue(mapping.Source, out var gap))
            {
                findings.Add(new Finding(Severity.Error, "not-published", $"Changes of {mapping.Source} may be in no log: {gap}",
                    "Let the connector keep its publication (publication.autocreate.mode=filtered, publish.via.partition.root=true) and restart it, or mend it by ALTER PUBLICATION")
                {
                    Table = mapping.Source.ToString(),
                });

                // At the first look the connector may be about to mend it; from then on it is remembered that changes were lost.
                reason ??= known ? $"{gap}, or did so for a while" : null;
            }

            // Whatever became of it between two looks.
            if (now is not null)
            {
                now = publication is null && known ? now with { Published = was.Shape.Published } : gap is not null && !known ? now with { Published = "" } : now;
                reason ??= known ? Interrupted(was.Shape.Published, now.Published) : null;
            }

            if ((known ? was.ResyncReason ?? reason : reason) is { } why)
            {
                findings.Add(new Finding(Severity.Warning, "resync-needed", $"Rows of {mapping.Target} may differ from the source: {why}", $"Run 'cdcm tables resync {mapping.Source}'") { Table = mapping.Source.ToString() });
            }

            if (begunAgain.Contains(mapping.Source.ToString()))
            {
                findings.Add(new Finding(Severity.Warning, "snapshot-begun-again",
                    $"The connector was stopped in the initial snapshot of {mapping.Source} and took another one: rows that were deleted in between are in no log, and may still be in {mapping.Target}",
                    $"Run 'cdcm verify start', and 'cdcm tables repair {mapping.Source}' if it finds such rows; or 'cdcm tables resync {mapping.Source}'")
                { Table = mapping.Source.ToString() });
            }

            if (drift.Halts && !namesValues && drift.Findings.FirstOrDefault(finding => finding.Severity == Severity.Error) is { } cause)
            {
                halted[mapping.Source] = new Fault(FaultKind.Configuration, cause.Code, cause.Message, cause.Fix) { Table = mapping.Source.ToString() };
            }

            // What is not mended yet is compared with what it was, or a rename would become an addition.
            var shape = drift.Findings.Count == 0 ? now : known ? was.Shape : now;
            if (shape is not null && (!known || !Same(shape, was.Shape) || (reason is not null && was.ResyncReason is null)))
            {
                record.Add((mapping.Source, shape, reason));
            }
        }

        if (record.Count > 0)
        {
            await store.RecordAsync(record, cancellationToken);
        }

        return new SchemaState([.. findings.OrderByDescending(finding => finding.Severity)], halted);
    }

    private static TableName? MovedTo(TableShape was, TableName name, IReadOnlyDictionary<TableName, TableShape> here)
    {
        foreach (var (found, shape) in here)
        {
            if (shape.Oid == was.Oid && found != name)
            {
                return found;
            }
        }

        return null;
    }

    /// <summary>
    /// Up to version 17 a reader fails at a publication that was away, from 18 on the server passes over what was written meanwhile and warns in its own log: nothing is left to chance. What a connector does to its publication
    /// at each start (<c>alter publication … set table</c>) changes neither its own row nor the entries that stay.
    /// </summary>
    private string? Interrupted(string was, string now) => PublishedBy.Parse(was)?.Interrupted(PublishedBy.Parse(now), publication!);

    private static bool Same(TableShape left, TableShape right) => left.Oid == right.Oid && left.Published == right.Published && left.Columns.SequenceEqual(right.Columns);
}
