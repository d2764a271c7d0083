using System.Globalization;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Status;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Configuration;
using CdcMigrator.Service.Runtime;

namespace CdcMigrator.Service.Reporting;

/// <summary>
/// Whether a cutover may begin: every criterion passes, or is one that a person may waive and did. Pure. What is not known, is old or only in part never passes. Rows that change while both sides
/// live are verified behind the fence; here they must be few enough for that.
/// </summary>
internal static class Gate
{
    private const string Pass = "PASS";
    private const string Fail = "FAIL";
    private const string Unknown = "UNKNOWN";
    private const string TargetFix = "The target does not say: 'cdcm status' shows why";

    /// <summary>Keys that are verified in about a second behind the fence (95,000 a second and more were measured).</summary>
    private const long MostDirtyKeys = 100_000;
    private static readonly TimeSpan Alive = TimeSpan.FromSeconds(30);

    public static GateReport Of(MigrationDefinition definition, RuntimeStatus now, DateTimeOffset at)
    {
        var limits = definition.Cutover;
        var tables = definition.Tables.Select(table => (Name: table.Source, State: now.Verified?.GetValueOrDefault(table.Source))).ToList();
        GateCriterion[] found =
        [
            Lag(limits, now), Lanes(now), Source(now), DeadLetters(now), Copies(now), Reconciler(now), Verification(limits, tables, now, at), Mismatches(tables, GateChecks.WrongSamples(now.Checks)), RogueWrites(tables),
            DirtyKeys(now, tables),
            .. GateChecks.Of(limits, now.Checks, at),
            .. ReadsCriterion.Of(definition, now, at),
        ];
        GateCriterion[] criteria = [.. found.Select(criterion => WaiverRules.Apply(criterion, now.Waivers, at))];
        return new GateReport(!criteria.Any(criterion => criterion.Closes), criteria);
    }

    private static GateCriterion Lag(CutoverSection limits, RuntimeStatus now)
    {
        const string fix = "'cdcm lag' shows which table is behind, 'cdcm status' what a lane waits for";
        var allowed = Durations.Format(limits.MaxLag);
        if (now is not { Phase: RuntimePhase.Running, Pipeline: { Fault: null, Lanes.Count: > 0 } pipeline } || pipeline.Lanes.Any(lane => lane.NextOffset < 0 || lane.EndOffset < 0))
        {
            return new GateCriterion("lag", Unknown, "not known", allowed, fix);
        }

        // Of lanes of other processes only their records are known: none may be left.
        if (now.Elsewhere is not { Behind: 0 })
        {
            return new GateCriterion(
                "lag", Unknown, now.Elsewhere is { } others ? $"{others.Behind} records in {others.Lanes} lanes of other processes, or of none" : "not known of lanes of other processes", allowed, fix);
        }

        var lag = pipeline.Lanes.Max(lane => lane.LagTime);
        return Judged("lag", lag <= limits.MaxLag ? Pass : Fail, $"{lag.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture)}s", allowed, fix);
    }

    private static GateCriterion Lanes(RuntimeStatus now)
    {
        var lanes = now.Pipeline?.Lanes ?? [];
        if (now.Paused is { } pause)
        {
            return new GateCriterion("lanes", Fail, pause.ToString(), "all running", "'cdcm resume' has it go on");
        }

        var running = lanes.Count(lane => lane.State is LaneState.Running or LaneState.Paused);
        var state = lanes.Any(lane => lane.State == LaneState.Halted) ? Fail : lanes.Count > 0 && running == lanes.Count ? Pass : Unknown;
        return Judged("lanes", state, $"{running} of {lanes.Count} running", "all running", "'cdcm status' names what each lane stands at, and the next command");
    }

    /// <summary>Drift, a slot or a connector that does not work, a log that lost changes, rows that must be copied again. A log without lag says nothing while nothing is written to it.</summary>
    private static GateCriterion Source(RuntimeStatus now)
    {
        var codes = now.SourceFaults.Select(fault => fault.Code).Concat(now.Findings.Select(finding => finding.Code)).Distinct().ToList();
        var (state, measured) = now.Phase != RuntimePhase.Running ? (Unknown, "not known")
            : codes.Count > 0 ? (Fail, string.Join(", ", codes))
            : now.SourceUnseen.Count > 0 ? (Unknown, $"not known of {string.Join(", ", now.SourceUnseen)}")
            : (Pass, "nothing found");
        return Judged("source", state, measured, "nothing found", "'cdcm status' has the statement that mends each finding");
    }

    private static GateCriterion DeadLetters(RuntimeStatus now)
    {
        if (now.DeadLetters is not { } counts)
        {
            return new GateCriterion("deadLetters", Unknown, "not known", "0", TargetFix);
        }

        var total = counts.Values.Sum();
        var byTable = counts.Where(table => table.Value > 0).OrderBy(table => table.Key, StringComparer.Ordinal).Select(table => $"{table.Key} {table.Value}");
        return Judged(
            "deadLetters", total == 0 ? Pass : Fail, total == 0 ? "0" : $"{total} ({string.Join(", ", byTable)})", "0",
            "'cdcm dlq list' names rows and causes; mend the cause, then 'cdcm dlq retry --all'");
    }

    /// <summary>Rows of a copy that are still to come are in no log yet.</summary>
    private static GateCriterion Copies(RuntimeStatus now)
    {
        const string name = "copies";
        const string allowed = "none";
        const string wait = "Wait until it is over: 'cdcm tables' shows how far it is";
        return now.Copying is { Count: > 0 } copying ? new GateCriterion(name, Fail, string.Join(", ", copying), allowed, wait)
            : now.Snapshot == "running" ? new GateCriterion(name, Fail, "initial snapshot", allowed, wait)
            : now.Copying is null ? new GateCriterion(name, Unknown, "not known", allowed, TargetFix)
            : now.Snapshot != "done" ? new GateCriterion(name, Unknown, "not known whether the initial snapshot is over", allowed,
                "Kafka Connect does not say it, and the log does not show it yet: 'cdcm status' shows what keeps either from answering")
            : new GateCriterion(name, Pass, allowed, allowed);
    }

    /// <summary>What was found counts only while somebody goes on looking.</summary>
    private static GateCriterion Reconciler(RuntimeStatus now)
    {
        const string allowed = "at work";
        const string fix = "The reconciler works in a running service; 'cdcm verify show' and its log say what keeps it";
        return now.Reconciler is not { } beat ? new GateCriterion("reconciler", Unknown, "never seen", allowed, fix)
            : beat.Age > Alive ? new GateCriterion("reconciler", Unknown, $"last seen {beat.At:u}", allowed, fix)
            : beat.Fault is { } fault ? new GateCriterion("reconciler", Fail, fault, allowed, fix)
            : beat.Behind < 0 ? new GateCriterion("reconciler", Unknown, "not known how far it read", allowed, fix)
            : new GateCriterion("reconciler", Pass, allowed, allowed);
    }

    /// <summary>A full pass over every table, recent enough, with nothing left out, and begun since the source is read without a break: what a connector lost when it stopped is in no log.</summary>
    private static GateCriterion Verification(CutoverSection limits, IReadOnlyList<(TableName Name, TableState? State)> tables, RuntimeStatus now, DateTimeOffset at)
    {
        var allowed = $"all rows of all tables within {Durations.Format(limits.VerifiedWithin)}";
        var broken = tables.Where(table => table.State?.Verdict is Verdict.Unverifiable or Verdict.Error).ToList();
        if (broken.Count > 0)
        {
            return new GateCriterion(
                "verification", Fail, string.Join(", ", broken.Select(table => $"{table.Name} {table.State!.Verdict}: {table.State.Reason}")), allowed,
                "Mend what the reason names, then 'cdcm verify start --wait'");
        }

        const string start = "'cdcm verify start --wait' compares every row";
        var never = tables.Where(table => table.State is not { Covered: true, CoveredAt: not null }).Select(table => table.State?.Reason is { } reason ? $"{table.Name} ({reason})" : table.Name.ToString()).ToList();
        if (never.Count > 0)
        {
            var held = tables.Where(table => table.State is { Covered: false, Phase: TablePhase.Passing }).Select(table => table.State!.Reason).FirstOrDefault(reason => reason is not null);
            return new GateCriterion("verification", Unknown, $"not of {string.Join(", ", never)}{(held is null ? "" : $" ({held})")}", allowed, start);
        }

        if (now.ReaderWaitsFor is { } open)
        {
            return new GateCriterion(
                "verification", Unknown, $"none counts since the connector began to read anew: transactions that were open then are not over ({open})", allowed,
                "Wait for them, or have them ended: the connector may have lost what they wrote before. The comparison begins again by itself then");
        }

        var overtaken = tables.Where(table => table.State!.CoveredAt < now.ReaderSince).Select(table => table.Name.ToString()).ToList();
        if (overtaken.Count > 0)
        {
            return new GateCriterion(
                "verification", Unknown, $"not of {string.Join(", ", overtaken)} since the connector began to read anew ({now.ReaderSince:u})", allowed, "The comparison begins again by itself; 'cdcm verify start --wait' waits for it");
        }

        var oldest = tables.Min(table => table.State!.CoveredAt!.Value);
        return Judged("verification", at - oldest <= limits.VerifiedWithin ? Pass : Fail, $"{oldest:u}", allowed, start);
    }

    private static GateCriterion Mismatches(IReadOnlyList<(TableName Name, TableState? State)> tables, IReadOnlyList<string> sampled)
    {
        if (tables.Any(table => table.State is null))
        {
            return new GateCriterion("mismatches", Unknown, "not known", "0", "'cdcm verify start --wait' compares every row");
        }

        var wrong = tables.Where(table => table.State!.Wrong.Count > 0 || table.State.WrongTruncated || table.State.Verdict == Verdict.Mismatch).ToList();
        return wrong.Count == 0 && sampled.Count > 0
            ? new GateCriterion("mismatches", Fail, $"in a sample of {string.Join(", ", sampled)}", "0", "'cdcm verify start --wait' names all rows; 'cdcm verify checks samples' what was sampled")
            : wrong.Count == 0 ? new GateCriterion("mismatches", Pass, "0", "0")
            : new GateCriterion(
                "mismatches", Fail, string.Join(", ", wrong.Select(table => $"{table.Name} {table.State!.Wrong.Count}{(table.State.WrongTruncated ? " and more" : "")}")), "0",
                "'cdcm verify show' names the rows; 'cdcm tables resync T --yes' copies a table again from the source");
    }

    /// <summary>Rows that became wrong without any change in the log: whoever did that may do it again.</summary>
    private static GateCriterion RogueWrites(IReadOnlyList<(TableName Name, TableState? State)> tables)
    {
        const string allowed = "none";
        if (tables.Any(table => table.State is null))
        {
            return new GateCriterion("rogueWrites", Unknown, "not known", allowed, "'cdcm verify start --wait' compares every row");
        }

        var rogue = tables.Select(table => (table.Name, Count: table.State!.Wrong.Values.Count(row => row.Unlogged))).Where(table => table.Count > 0).ToList();
        return Judged(
            "rogueWrites", rogue.Count == 0 ? Pass : Fail, rogue.Count == 0 ? allowed : string.Join(", ", rogue.Select(table => $"{table.Name} {table.Count}")), allowed,
            "Rows were equal and are not, and no change of them came: find out who writes to the target, or what wrote to the source past the log; then 'cdcm tables repair T --all-wrong'");
    }

    /// <summary>What is left for the last comparison: keys that changed, rows that were on their way, and records that were not read yet.</summary>
    private static GateCriterion DirtyKeys(RuntimeStatus now, IReadOnlyList<(TableName Name, TableState? State)> tables)
    {
        const string fix = "They are compared by themselves; wait, or write less to the source for a while. 'cdcm status' shows them by table";
        var allowed = $"at most {MostDirtyKeys.ToString("N0", CultureInfo.InvariantCulture)}";
        if (now.Reconciler is not { Behind: >= 0 } beat || beat.Age > Alive || tables.Any(table => table.State is null))
        {
            return new GateCriterion("dirtyKeys", Unknown, "not known", allowed, fix);
        }

        var left = beat.Behind + tables.Sum(table => table.State!.DirtyKeys + (long)table.State.Pending.Count);
        var suspended = tables.Where(table => table.State!.Verdict == Verdict.Suspended).Select(table => table.Name.ToString()).ToList();
        return Judged(
            "dirtyKeys", left <= MostDirtyKeys && suspended.Count == 0 ? Pass : Fail,
            $"{left.ToString("N0", CultureInfo.InvariantCulture)}{(suspended.Count == 0 ? "" : $"; on their way for long in {string.Join(", ", suspended)}")}", allowed, fix);
    }

    private static GateCriterion Judged(string name, string state, string measured, string allowed, string fix) => new(name, state, measured, allowed, state == Pass ? "" : fix);
}
