using CdcMigrator.Domain.Log;
using CdcMigrator.Streaming.Lanes;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace CdcMigrator.Streaming.Consuming;

/// <summary>What the poll thread does to a partition's fetching. Each may fail because the partition is not ours yet or no more; none throws.</summary>
internal static class FetchControl
{
    public static TopicPartition Partition(LaneId lane) => new(lane.Topic, lane.Partition);

    public static bool Pause(IConsumer<byte[]?, byte[]?> consumer, ILogger log, LaneId lane)
    {
        try
        {
            consumer.Pause([Partition(lane)]);
            return true;
        }
        catch (KafkaException e)
        {
            StreamingLog.ClientMessage(log, $"pause of {lane}: {e.Error.Reason}");
            return false;
        }
    }

    /// <summary>Always seeks before resuming: where a pause left the client's own position is not relied on.</summary>
    public static void SeekAndResume(IConsumer<byte[]?, byte[]?> consumer, ILogger log, LaneSession session)
    {
        try
        {
            var partition = Partition(session.Id);
            consumer.Seek(new TopicPartitionOffset(partition, session.Offsets.Expected));
            consumer.Resume([partition]);
            session.Offsets.Sought();
            session.WantsSeek = false;
        }
        catch (KafkaException e)
        {
            // The partition's fetcher has not started yet. The next turn tries again.
            StreamingLog.ClientMessage(log, $"seek of {session.Id}: {e.Error.Reason}");
        }
    }

    /// <summary>
    /// Takes the end of a partition from what the client knows, where it is before what was delivered: a lane that knows of more records waits for them instead of
    /// applying the first of a fetch alone.
    /// </summary>
    public static void NoteEnd(IConsumer<byte[]?, byte[]?> consumer, Lane lane, long delivered)
    {
        if (delivered <= lane.KnownEnd)
        {
            return;
        }

        try
        {
            lane.NoteEnd(Math.Max(delivered, consumer.GetWatermarkOffsets(Partition(lane.Id)).High.Value));
        }
        catch (KafkaException)
        {
            // No longer ours.
        }
    }

    /// <summary>Leaves the target's progress as a hint for lag tools, and takes the partition's end from what the client knows.</summary>
    public static void StoreHint(IConsumer<byte[]?, byte[]?> consumer, Lane lane)
    {
        try
        {
            var partition = Partition(lane.Id);
            var end = consumer.GetWatermarkOffsets(partition).High.Value;
            if (end >= 0)
            {
                lane.NoteEnd(Math.Max(lane.KnownEnd, end));
            }

            if (lane.NextOffset >= 0)
            {
                consumer.StoreOffset(new TopicPartitionOffset(partition, lane.NextOffset));
            }
        }
        catch (KafkaException)
        {
            // No longer ours. It was a hint.
        }
    }
}
