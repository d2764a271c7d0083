using CdcMigrator.Domain.Status;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Switching;

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
            return ["The migration is over. As long as this process runs it watches that nobody writes to the source, which stays closed; then it can be ended. Both journals keep what was done (schema cdc_migrator)"];
        }

        if (status.Phase == ServicePhase.Left)
        {
            var side = status.Writes == "target" ? "source" : "target";
            return [$"{NoWayBack.What(side)}. {NoWayBack.Fix(side)}"];
        }

        if (status.Paused is not null)
        {
            steps.Insert(0, "Nothing is applied while the migration is paused: 'cdcm resume' has it go on. The source keeps its log meanwhile: mind its disk, and the retention of the topics");
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

        if (status.Phase == ServicePhase.TargetOpen)
        {
            steps.Add("Applications write to the target: 'cdcm advise' says what to do, 'cdcm cutover check --back' whether 'cdcm rollback' could go back; 'cdcm cutover complete' ends the migration");
        }

        if (steps.Count == 0 && status.Phase == ServicePhase.Replicating)
        {
            steps.Add(status.Lag.Records > 0
                ? "Wait until the lag is small: 'cdcm status --watch', 'cdcm lag'"
                : "Caught up: 'cdcm verify start --wait' compares every row, 'cdcm cutover check' says whether the target may take over, 'cdcm advise' what to do");
        }

        return steps;
    }
}
