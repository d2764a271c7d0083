using CdcMigrator.Domain.Status;
using CdcMigrator.Service.Api;

namespace CdcMigrator.Service.Reporting;

/// <summary>What an operator does next, from what the status shows.</summary>
internal static class NextSteps
{
    public static IReadOnlyList<string> Of(StatusReport status)
    {
        var steps = status.Faults.Select(fault => fault.Fix).Concat(status.Findings.Select(finding => finding.Fix)).Where(fix => !string.IsNullOrEmpty(fix)).Distinct(StringComparer.Ordinal).ToList();
        if (status.Phase == ServicePhase.Stopping)
        {
            return ["Wait for the process to end; start it again with 'cdcm run -f FILE'"];
        }

        if (status.Phase == ServicePhase.Completed)
        {
            return ["The migration is over: this process can be ended. The source stays closed, and both journals keep what was done (schema cdc_migrator)"];
        }

        if (status.Lanes.Any(lane => lane.State == LaneState.Halted))
        {
            steps.Add("Halted lanes try again by themselves every few seconds; POST /api/lanes/retry does it at once");
        }

        if (status.DeadLetters > 0)
        {
            steps.Add($"{status.DeadLetters} dead letters: 'cdcm dlq list' names their rows and causes; mend the cause, then 'cdcm dlq retry --all'");
        }

        if (status.Phase == ServicePhase.Replicating && status.MissingTopics.Count > 0)
        {
            steps.Add("A topic appears with its table's first record. If none appears: 'cdcm connector status -f FILE', 'cdcm preflight -f FILE'");
        }

        if (steps.Count == 0 && status.Phase == ServicePhase.Replicating)
        {
            steps.Add(status.Lag.Records > 0
                ? "Wait until the lag is small: 'cdcm status --watch', 'cdcm lag'"
                : "Caught up. To switch: fence the source, write a marker, and have POST /api/drain prove that all of it is here");
        }

        return steps;
    }
}
