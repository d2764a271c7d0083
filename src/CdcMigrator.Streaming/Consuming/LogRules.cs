using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Streaming.Inspection;

namespace CdcMigrator.Streaming.Consuming;

/// <summary>When the log is no longer the one that was recorded (invariant A2).</summary>
internal static class LogRules
{
    private const string Resync = "The tables of this topic must be copied again: see 'Starting over' in docs/cli.md.";

    /// <summary>Null where the partition still holds the offset, or ends there.</summary>
    public static Fault? CheckRange(LaneId lane, long nextOffset, LogRange range)
    {
        if (range.Start > nextOffset)
        {
            return Broken(
                lane,
                "log-gap",
                $"partition {lane.Partition} lost offsets {nextOffset} to {range.Start - 1} before they were applied: it starts at {range.Start}, progress stands at {nextOffset}");
        }

        return nextOffset <= range.End ? null : Broken(
            lane,
            "log-truncated",
            $"partition {lane.Partition} ends at offset {range.End}, but progress stands at {nextOffset}: the log lost records or was created again");
    }

    /// <summary>Null where both describe the same topic of the same cluster.</summary>
    public static Fault? CheckIdentity(LaneId lane, LogIdentity before, LogIdentity now)
    {
        if (before.ClusterId != now.ClusterId)
        {
            return Broken(lane, "cluster-changed", $"belonged to cluster {before.ClusterId} and is read from cluster {now.ClusterId} now");
        }

        if (before.TopicId != now.TopicId)
        {
            return Broken(lane, "topic-recreated", $"was deleted and created again (id {before.TopicId}, now {now.TopicId})");
        }

        return before.PartitionCount == now.PartitionCount ? null : Broken(
            lane,
            "partition-count-changed",
            $"had {before.PartitionCount} partitions and has {now.PartitionCount} now: keys may have moved between partitions");
    }

    /// <summary>The topic is gone.</summary>
    public static Fault TopicGone(LaneId lane) => Broken(lane, "topic-deleted", "was deleted");

    private static Fault Broken(LaneId lane, string code, string what) =>
        new(FaultKind.LogBroken, code, $"Topic {lane.Topic} {what}", Resync) { Lane = lane };
}
