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
    /// <summary>A connector whose task failed, with the cause its trace names.</summary>
    public static Fault? Failed(ConnectSection connect, ConnectorStatus? status)
    {
        var task = status?.Tasks.FirstOrDefault(task => task.State == "FAILED");
        return status?.State == "FAILED" || task is not null
            ? new Fault(FaultKind.Unreachable, "connector-failed", $"Connector {connect.Connector}{(task is null ? "" : $", task {task.Id}")} has failed: {status!.Cause}",
                $"Mend the cause, then: curl -X POST '{Address(connect)}/restart?includeTasks=true&onlyFailed=true'")
            : null;
    }

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

    private static string Address(ConnectSection connect) => $"{connect.Url.GetLeftPart(UriPartial.Path).TrimEnd('/')}/connectors/{Uri.EscapeDataString(connect.Connector)}";
}
