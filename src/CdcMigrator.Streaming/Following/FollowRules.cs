using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Streaming.Inspection;

namespace CdcMigrator.Streaming.Following;

/// <summary>When a partition cannot be followed any further. Pure.</summary>
internal static class FollowRules
{
    /// <summary>Null where the partition still holds the offset, or ends there.</summary>
    public static Fault? Check(LaneId lane, long next, LogRange range) =>
        range.Start > next ? Broken(lane, "offsets-gone", $"offsets {next} to {range.Start - 1} are gone: it starts at {range.Start}")
        : range.End < next ? Broken(lane, "log-truncated", $"it ends at {range.End}, but offset {next} was to come next")
        : null;

    /// <summary>The broker claims to hold an offset, and does not deliver it however often it is asked.</summary>
    public static Fault Refused(LaneId lane, long next, LogRange range) =>
        Broken(lane, "offset-refused", $"offset {next} is not delivered though the broker claims to hold {range.Start} to {range.End}");

    /// <summary>There is nothing to follow yet.</summary>
    public static Fault Missing(LaneId lane) =>
        new(FaultKind.Unreachable, "topic-missing", $"The broker has no partition {lane.Partition} of topic {lane.Topic}: it is waited for") { Lane = lane };

    private static Fault Broken(LaneId lane, string code, string what) => new(
        FaultKind.LogBroken, code, $"Partition {lane.Partition} of topic {lane.Topic} cannot be followed: {what}", "Compare the table anew from its beginning: cdcm verify start")
    {
        Lane = lane,
    };
}
