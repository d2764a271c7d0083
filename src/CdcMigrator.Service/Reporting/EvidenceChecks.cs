using System.Globalization;
using CdcMigrator.Cutover.Switching;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Switching;

namespace CdcMigrator.Service.Reporting;

/// <summary>The SQL with which each claim of an attempt is checked by psql alone. Pure.</summary>
internal static class EvidenceChecks
{
    private const string Identity = "select system_identifier || '/' || ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int from pg_control_system()";

    /// <summary>The evidence of an attempt.</summary>
    public static CutoverEvidence Evidence(MigrationDefinition definition, DateTimeOffset at, JournaledAttempt attempt)
    {
        var forward = attempt.Report.Attempt.Direction == MigrationDirection.Forward;
        var (left, taking) = forward ? ("source", "target") : ("target", "source");
        return new CutoverEvidence
        {
            Migration = definition.Name,
            At = at,
            Left = left,
            Taking = taking,
            LeftServer = attempt.From,
            TakingServer = attempt.To,
            PredictedMs = attempt.PredictedMs,
            Predicted = attempt.Predicted ?? [],
            Waived = attempt.Waived ?? [],
            Report = attempt.Report,
            Checks = [.. Of(definition, attempt, left, taking)],
        };
    }

    private static IEnumerable<EvidenceCheck> Of(MigrationDefinition definition, JournaledAttempt attempt, string left, string taking)
    {
        var (report, name) = (attempt.Report, Literal(definition.Name));
        var token = report.Attempt.Token;
        yield return new EvidenceCheck(left, "It is the server that was left", Identity, attempt.From);
        yield return new EvidenceCheck(taking, "It is the server that took over", Identity, attempt.To);
        foreach (var side in report.Phase == CutoverPhase.Sealed ? [left] : new[] { left, taking })
        {
            yield return new EvidenceCheck(
                side, $"Its journal holds this report, written {(report.Phase == CutoverPhase.Sealed ? "in the transaction that left it for good" : "when the attempt ended")}",
                $"select actor, event, at, jsonb_pretty(evidence) from cdc_migrator.journal where migration = {name} and event = 'cutover-{report.Phase.ToString().ToLowerInvariant()}' and evidence -> 'report' -> 'attempt' ->> 'token' = {Literal(token)}",
                $"one row: {report.Attempt.Actor} | cutover-{report.Phase.ToString().ToLowerInvariant()}");
        }

        foreach (var waiver in attempt.Waived ?? [])
        {
            yield return new EvidenceCheck(
                taking, $"{waiver.Criterion} was waived by {waiver.By}",
                $"select actor, at, evidence ->> 'reason' from cdc_migrator.journal where migration = {name} and event = 'waived' and evidence ->> 'criterion' = {Literal(waiver.Criterion)} order by id desc",
                $"among them: {waiver.By} | {waiver.At:u} | {waiver.Reason}");
        }

        if (report.Fence is { } fence)
        {
            yield return new EvidenceCheck(
                left, $"Writes were denied in one transaction with marker {fence.Marker}; L, read behind it, is {Lsn(fence.Lsn)}",
                $"select count(*) from cdc_migrator.fence where id = {Literal(fence.Marker)}", "1");
        }

        var sealedByIt = report.Phase is CutoverPhase.Done or CutoverPhase.Sealed;
        if (sealedByIt)
        {
            yield return new EvidenceCheck(
                left, "It was closed and then left for good by this attempt, in this order", Journal(name, token, "'fence-closed', 'fence-sealed'"), "two rows: fence-closed, then fence-sealed");
            yield return new EvidenceCheck(taking, "It was opened by this attempt, behind the seal", Journal(name, token, "'side-opened'"), "one row: side-opened");
            yield return new EvidenceCheck(
                left, "It takes no writes", $"select state, epoch, token from cdc_migrator.fence_state where migration = {name}",
                $"sealed|{report.Attempt.Epoch}|{token}; another token only where a later attempt has changed it");
            yield return new EvidenceCheck(
                taking, "It takes writes", $"select state, epoch, token from cdc_migrator.fence_state where migration = {name}",
                $"open|{report.Attempt.Epoch}|{token}; another token only where a later attempt has changed it");
        }

        if (report.Drain is { Lanes.Count: > 0 } drain)
        {
            var ends = string.Join(", ", drain.Lanes.Select(lane => string.Create(CultureInfo.InvariantCulture, $"({Literal(lane.Topic)}, {lane.Partition}, {lane.EndOffset})")));
            yield return new EvidenceCheck(
                taking, $"Everything up to the ends of {drain.Lanes.Count} lanes, taken once the slot had confirmed the marker, was applied",
                $"select e.* from (values {ends}) as e(topic, partition, end_offset) left join cdc_migrator.progress p on p.migration = {name} and p.topic = e.topic and p.partition = e.partition where coalesce(p.next_offset, 0) < e.end_offset",
                "no rows");
            yield return new EvidenceCheck(
                taking, "No change was passed without being applied", $"select count(*) from cdc_migrator.dead_letter where migration = {name}",
                "0; more only where changes were parked since ('cdcm dlq list')");
        }

        if (report.Proof is not { } proof)
        {
            yield break;
        }

        if (proof.BackMarker is { } back)
        {
            yield return new EvidenceCheck(
                taking, $"The way back begins behind marker {back.Marker}, at {Lsn(back.Lsn)}", $"select count(*) from cdc_migrator.fence where id = {Literal(back.Marker)}", "1");
        }

        if (proof.NoReturn is not null && sealedByIt)
        {
            yield return new EvidenceCheck(left, "It was left without a way back: nothing is applied here any more", $"select no_return from cdc_migrator.fence_state where migration = {name}", "t");
        }

        var forward = report.Attempt.Direction == MigrationDirection.Forward;
        foreach (var table in proof.Tables)
        {
            var mapping = definition.Tables.FirstOrDefault(mapping => (forward ? mapping.Source : mapping.Target).ToString() == table.Table);
            TableName? other = mapping is null ? null : forward ? mapping.Target : mapping.Source;
            yield return new EvidenceCheck(
                left, $"{table.Table} had {table.Rows} rows when all of it was compared, at {table.ComparedAt:u}; nothing is written here any more",
                $"select count(*) from {(mapping is null ? table.Table : (forward ? mapping.Source : mapping.Target).Sql)}", "the rows at the fence: those compared, with what was written between the comparison and the fence");
            if (other is { } there)
            {
                yield return new EvidenceCheck(
                    taking, $"{there} holds the same rows, and what was written since", $"select count(*) from {there.Sql}", $"as in the {left}, with what applications have changed since the opening");
            }
        }

        if (proof.Sequences.Count > 0)
        {
            yield return new EvidenceCheck(
                taking, $"Sequences were moved beyond the {left}'s last values",
                $"select schemaname || '.' || sequencename, last_value from pg_sequences where schemaname || '.' || sequencename in ({string.Join(", ", proof.Sequences.Select(Literal))}) order by 1",
                $"each further in the direction of its increment than in the {left}");
        }
    }

    /// <summary>A position as PostgreSQL writes it.</summary>
    public static string Lsn(ulong position) => string.Create(CultureInfo.InvariantCulture, $"{position >> 32:X}/{position & 0xFFFFFFFF:X}");

    private static string Journal(string name, string token, string events) =>
        $"select event, at, actor from cdc_migrator.journal where migration = {name} and event in ({events}) and evidence ->> 'token' = {Literal(token)} order by id";

    private static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
