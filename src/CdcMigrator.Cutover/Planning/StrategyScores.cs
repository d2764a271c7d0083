using CdcMigrator.Domain.Auditing;
using CdcMigrator.Domain.Preflight;

namespace CdcMigrator.Cutover.Planning;

/// <summary>Scores each strategy, with its reasons. Pure.</summary>
internal static class StrategyScores
{
    /// <summary>Errors that concern capturing changes: a dump does not mind them.</summary>
    private static readonly HashSet<string> Capturing =
    [
        "keyless", "replica-identity", "keyless-column", "unlogged", "cascade", "inet", "year-zero", "unconvertible", "toast-null", "interval-range", "timetz-offset", "key-date", "key-type",
        "wal-level", "binlog", "binlog-format", "binlog-row-image", "binlog-row-value-options", "server-id", "source-standby", "large-value",
    ];

    private const double LargeBytes = 200e9;
    private const double SmallBytes = 1e9;

    public static IEnumerable<StrategyScore> Of(AuditReport audit, PlanWishes wishes, PlanSizing sizing, IReadOnlyList<TableGroup> groups, UnitCosts costs)
    {
        var blocked = audit.Findings.Where(finding => finding.Severity == Severity.Error && Capturing.Contains(finding.Code)).ToList();
        yield return Sum(Strategy.BigBang, BigBang(wishes, sizing, blocked));
        yield return Sum(Strategy.ChangeDataCapture, Capture(audit, wishes, sizing, blocked, costs));
        yield return Sum(Strategy.DualWrite, DualWrite(audit, wishes));
        yield return Sum(Strategy.Strangler, Strangler(audit, wishes, sizing, groups, blocked));
    }

    private static StrategyScore Sum(Strategy strategy, IEnumerable<ScoreReason> reasons)
    {
        var all = reasons.Where(reason => reason.Points != 0).ToList();
        return new StrategyScore(strategy, Math.Clamp(all.Sum(reason => reason.Points), 0, 100), all);
    }

    private static IEnumerable<ScoreReason> BigBang(PlanWishes wishes, PlanSizing sizing, List<Finding> blocked)
    {
        yield return new(50, "One step that everybody understands; nothing runs beside the databases");
        var fits = sizing.DumpSeconds + sizing.VerificationSeconds <= wishes.Downtime.TotalSeconds;
        yield return fits
            ? new(30, $"Dump, restore and comparison take about {PlanText.Seconds(sizing.DumpSeconds + sizing.VerificationSeconds)}, and {PlanText.Seconds(wishes.Downtime.TotalSeconds)} without writes are allowed")
            : new(-50, $"Dump, restore and comparison take about {PlanText.Seconds(sizing.DumpSeconds + sizing.VerificationSeconds)}, but only {PlanText.Seconds(wishes.Downtime.TotalSeconds)} without writes are allowed");
        yield return new(sizing.Bytes < SmallBytes && fits ? 10 : 0, $"{PlanText.Bytes(sizing.Bytes)} are few");
        yield return new(wishes.Rollback ? -20 : 0, "There is no way back with what was written after the switch");
        yield return new(blocked.Count > 0 && fits ? 10 : 0, $"{blocked.Count} findings that stand in the way of capturing changes do not matter");
    }

    private static IEnumerable<ScoreReason> Capture(AuditReport audit, PlanWishes wishes, PlanSizing sizing, List<Finding> blocked, UnitCosts costs)
    {
        yield return new(60, "Both sides live and are compared while writes go on; what is on the way is told from what is wrong");
        var fits = sizing.OutageMilliseconds <= wishes.Downtime.TotalMilliseconds;
        yield return fits
            ? new(20, $"About {PlanText.Seconds(sizing.OutageMilliseconds / 1000)} without writes are predicted, and {PlanText.Seconds(wishes.Downtime.TotalSeconds)} are allowed")
            : new(-20, $"About {PlanText.Seconds(sizing.OutageMilliseconds / 1000)} without writes are predicted, but only {PlanText.Seconds(wishes.Downtime.TotalSeconds)} are allowed");
        yield return new(-Math.Min(30, 5 * blocked.Count), $"{blocked.Count} findings stand in the way of capturing changes and have to be mended first ({Codes(blocked)})");
        yield return sizing.CatchUpSeconds is null
            ? new(-40, $"{PlanText.Number(sizing.WritesPerSecond ?? 0)} rows are written a second, more than one connector captures ({PlanText.Number(costs.CaptureRowsPerSecond)})")
            : new(sizing.WritesPerSecond > costs.CaptureRowsPerSecond / 2 ? -15 : 0, $"{PlanText.Number(sizing.WritesPerSecond ?? 0)} rows are written a second: more than half of what one connector captures, so a peak makes it lag");
        yield return new(wishes.Rollback && audit.Source.Engine == "postgresql" ? 10 : 0, "The way back can be the same stream in the other direction");
        yield return new(wishes.Rollback && audit.Source.Engine != "postgresql" ? -5 : 0, "To a MariaDB or MySQL source there is no way back with what was written after the switch");
    }

    private static IEnumerable<ScoreReason> DualWrite(AuditReport audit, PlanWishes wishes)
    {
        yield return new(40, "Each side has every write from the moment on at which the application writes both");
        yield return new(wishes.CanChangeApplication ? 10 : -30, wishes.CanChangeApplication ? "The application can be changed" : "The application cannot be changed");
        yield return new(-20, "Two databases have no common transaction: a write that fails on one side only has to be found and mended");
        var triggers = audit.Tables.Count(table => table.Triggers.Count > 0);
        yield return new(triggers > 0 ? -5 : 0, $"{triggers} tables have triggers, which would work on both sides");
        yield return new(audit.Sequences.Count > 0 ? -5 : 0, $"{audit.Sequences.Count} sequences hand out numbers on each side by themselves");
        yield return new(wishes.Rollback ? 10 : 0, "Both sides are current, so that going back is a switch");
    }

    private static IEnumerable<ScoreReason> Strangler(AuditReport audit, PlanWishes wishes, PlanSizing sizing, IReadOnlyList<TableGroup> groups, List<Finding> blocked)
    {
        yield return new(45, "Small steps, each with a way back; the first ones rehearse the last");
        yield return wishes.CanChangeApplication ? new(10, "The application can be changed to find tables on two sides") : new(-25, "The application cannot be changed, and would have to find tables on two sides");
        var largest = groups.Count == 0 ? 1 : groups.Max(group => group.Share);
        yield return groups.Count < 2 ? new(-25, "Foreign keys hold all tables together: there is one group")
            : largest > 0.9 ? new(-10, $"The largest of {groups.Count} groups holds {largest:P0} of the bytes: the others are hardly a step")
            : new(10, $"Foreign keys leave {groups.Count} groups, the largest with {largest:P0} of the bytes");
        yield return new(sizing.Bytes > LargeBytes && groups.Count > 1 ? 15 : 0, $"{PlanText.Bytes(sizing.Bytes)} are much to copy in one piece ({PlanText.Seconds(sizing.SnapshotSeconds)})");
        yield return new(sizing.CatchUpSeconds is null && groups.Count > 1 ? 10 : 0, "Each group can have a connector of its own");
        yield return new(-Math.Min(15, 3 * blocked.Count), $"{blocked.Count} findings stand in the way of capturing changes ({Codes(blocked)})");
        yield return new(wishes.Rollback ? 5 : 0, "A group goes back alone");
    }

    private static string Codes(List<Finding> findings) => string.Join(", ", findings.Select(finding => finding.Code).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
}
