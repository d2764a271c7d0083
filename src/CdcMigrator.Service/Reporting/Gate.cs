using System.Globalization;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Status;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Configuration;
using CdcMigrator.Service.Runtime;

namespace CdcMigrator.Service.Reporting;

/// <summary>The gate as far as one process can measure it. Nothing verifies rows continuously yet, so that it never opens by itself.</summary>
internal static class Gate
{
    private const string Pass = "PASS";
    private const string Fail = "FAIL";
    private const string Unknown = "UNKNOWN";

    public static GateReport Of(CutoverSection limits, RuntimeStatus now)
    {
        GateCriterion[] criteria = [Lag(limits, now), Lanes(now), Source(now), DeadLetters(now), Verification(limits)];
        return new GateReport(criteria.All(criterion => criterion.State == Pass), criteria);
    }

    private static GateCriterion Lag(CutoverSection limits, RuntimeStatus now)
    {
        var allowed = Durations.Format(limits.MaxLag);
        if (now is not { Phase: RuntimePhase.Running, Pipeline: { Fault: null, Lanes.Count: > 0 } pipeline } || pipeline.Lanes.Any(lane => lane.NextOffset < 0 || lane.EndOffset < 0))
        {
            return new GateCriterion("lag", Unknown, "not known", allowed);
        }

        var lag = pipeline.Lanes.Max(lane => lane.LagTime);
        return new GateCriterion("lag", lag <= limits.MaxLag ? Pass : Fail, $"{lag.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture)}s", allowed);
    }

    private static GateCriterion Lanes(RuntimeStatus now)
    {
        var lanes = now.Pipeline?.Lanes ?? [];
        var running = lanes.Count(lane => lane.State is LaneState.Running or LaneState.Paused);
        var state = lanes.Any(lane => lane.State == LaneState.Halted) ? Fail : lanes.Count > 0 && running == lanes.Count ? Pass : Unknown;
        return new GateCriterion("lanes", state, $"{running} of {lanes.Count} running", "all running");
    }

    /// <summary>Drift, a slot or a connector that does not work, rows that must be copied again.</summary>
    private static GateCriterion Source(RuntimeStatus now)
    {
        var codes = now.Findings.Select(finding => finding.Code).Distinct().ToList();
        return now.Phase != RuntimePhase.Running ? new GateCriterion("source", Unknown, "not known", "nothing found")
            : new GateCriterion("source", codes.Count == 0 ? Pass : Fail, codes.Count == 0 ? "nothing found" : string.Join(", ", codes), "nothing found");
    }

    private static GateCriterion DeadLetters(RuntimeStatus now)
    {
        if (now.DeadLetters is not { } counts)
        {
            return new GateCriterion("deadLetters", Unknown, "not known", "0");
        }

        var total = counts.Values.Sum();
        var byTable = counts.Where(table => table.Value > 0).OrderBy(table => table.Key, StringComparer.Ordinal).Select(table => $"{table.Key} {table.Value}");
        return new GateCriterion("deadLetters", total == 0 ? Pass : Fail, total == 0 ? "0" : $"{total} ({string.Join(", ", byTable)})", "0");
    }

    private static GateCriterion Verification(CutoverSection limits) =>
        new("verification", Unknown, "never", $"Equal within {Durations.Format(limits.VerifiedWithin)}");
}
