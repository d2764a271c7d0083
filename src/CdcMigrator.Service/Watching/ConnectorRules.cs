using CdcMigrator.Connect.Rest;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Postgres.Fencing;

namespace CdcMigrator.Service.Watching;

/// <summary>What is wrong with a connector. Pure.</summary>
internal static class ConnectorRules
{
    /// <summary>A connector that has failed, or whose task has, with the cause its trace names and what becomes of it.</summary>
    /// <param name="connect">Where it runs.</param>
    /// <param name="status">What Connect says.</param>
    /// <param name="outlook">What the service does about it; null where that is not known.</param>
    public static Fault? Failed(ConnectSection connect, ConnectorStatus? status, RestartOutlook? outlook = null)
    {
        if (status is not { HasFailed: true })
        {
            return null;
        }

        var restart = $"curl -X POST '{Address(connect)}/restart?includeTasks=true&onlyFailed=true'";
        var mend = $"Mend the cause, then: {restart}";
        var wait = $"Wait for it; where it fails again, mend the cause. At once: {restart}";
        var (then, fix) = outlook switch
        {
            null or { Limit: 0 } => ("", mend),
            { Barrier: { } barrier } when outlook.Count < outlook.Limit || !barrier.Passes => ($". {barrier.Why}", barrier.Fix),
            { IsAsked: true } => ($". It is being restarted by itself ({outlook.Count + 1} of {outlook.Limit} times)", wait),
            { Next: { } next } => ($". It is restarted by itself in {SlotRules.Text(next)} ({outlook.Count + 1} of {outlook.Limit} times)", wait),
            _ => ($". It was restarted by itself {outlook.Count} times in a row, in vain", mend),
        };
        var refused = outlook?.Refused is { } fault ? $". Kafka Connect did not take the last restart: {fault.Message}" : "";
        return new Fault(FaultKind.Unreachable, "connector-failed", $"{NameOf(connect, status)} has failed: {status.Cause.TrimEnd('.')}{then}{refused}", fix);
    }

    /// <summary>What has failed, by name.</summary>
    public static string NameOf(ConnectSection connect, ConnectorStatus failed) =>
        $"Connector {connect.Connector}{(failed.Tasks.FirstOrDefault(task => task.HasFailed) is { } task ? $", task {task.Id}" : "")}";

    /// <summary>What speaks against restarting a connector that has failed; null where nothing does.</summary>
    /// <param name="status">What Connect said last.</param>
    /// <param name="isConnectAway">Connect does not answer now.</param>
    /// <param name="slot">Why its slot can never deliver what it has not delivered yet. A slot that is gone would be made again, further on.</param>
    /// <param name="settings">Why what it publishes under the settings it was given cannot be applied.</param>
    /// <param name="isSourceAway">The source does not answer now: nothing is known of the slot, and no restart would help.</param>
    public static RestartBarrier? Barrier(ConnectorStatus? status, bool isConnectAway, Fault? slot, Fault? settings, bool isSourceAway) =>
        isConnectAway ? new RestartBarrier("It is restarted by itself once Kafka Connect answers", "See that Kafka Connect answers", Passes: true)
        : status?.State is "PAUSED" or "STOPPED" ? new RestartBarrier($"It is not restarted while it is {status.State}", "Run 'cdcm connector resume -f FILE': then it is restarted by itself", Passes: true)
        : slot is not null ? new RestartBarrier("It is not restarted by itself, for its slot cannot deliver what the log lacks", slot.Fix)
        : settings is not null ? new RestartBarrier("It is not restarted by itself under the settings it was given", settings.Fix)
        : isSourceAway ? new RestartBarrier("It is restarted by itself once the source answers", "See that the source answers", Passes: true)
        : null;

    /// <summary>A connector that says RUNNING and makes no progress.</summary>
    public static Fault Stalled(ConnectSection connect, SlotState slot, TimeSpan time) => new(
        FaultKind.Unreachable, "connector-stalled",
        $"Connector {connect.Connector} says RUNNING but has made no progress for {SlotRules.Text(time)}: slot {slot.Name} stands at {SourcePosition.Format(slot.ConfirmedFlushLsn)}"
        + $"{(slot.Active ? "" : " and is not being read")}, {slot.WrittenLsn - slot.ConfirmedFlushLsn:N0} bytes behind the source",
        "Look in Connect's log for 'Retry … of unlimited retries' and the exception in front of it: most often a value Debezium cannot read (an interval beyond 2^31 hours). "
        + $"Mend the row or exclude its column; to begin a fresh attempt: curl -X POST '{Address(connect)}/restart?includeTasks=true'");

    /// <summary>A connector that is paused or unknown, or a Connect that has not answered for some time.</summary>
    public static Finding? Absent(ConnectSection connect, ConnectorStatus? status, Fault? unreachable, TimeSpan unanswered, TimeSpan patience) =>
        unreachable is not null
            ? unanswered > patience ? new Finding(Severity.Warning, "connect-unreachable", $"Kafka Connect has not answered for {SlotRules.Text(unanswered)}: {unreachable.Message}", unreachable.Fix) : null
        : status is null ? new Finding(Severity.Warning, "connector-unknown", $"Kafka Connect has no connector {connect.Connector}", "Run 'cdcm connector register -f FILE'")
        : status.State is "PAUSED" or "STOPPED" ? new Finding(Severity.Warning, "connector-paused", $"Connector {connect.Connector} is {status.State}; the source keeps its WAL meanwhile", "Run 'cdcm connector resume -f FILE'")
        : null;

    /// <summary>Without the user and password that may be in it.</summary>
    private static string Address(ConnectSection connect) =>
        $"{connect.Url.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped).TrimEnd('/')}/connectors/{Uri.EscapeDataString(connect.Connector)}";
}
