using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Streaming.Consuming;
using Confluent.Kafka;

namespace CdcMigrator.Streaming.Following;

/// <summary>One partition that is followed. Changed by the follower's thread only; <see cref="Position"/> and <see cref="Broken"/> are read by any.</summary>
internal sealed class FollowedLane(LaneId id, long from)
{
    private const int MostProofsInARow = 10;
    private long position = from;
    private volatile Fault? broken;
    private volatile Fault? trouble;
    private int proofs;

    /// <summary>The partition.</summary>
    public LaneId Id { get; } = id;

    /// <summary>The same in the client's words.</summary>
    public TopicPartition Partition { get; } = new(id.Topic, id.Partition);

    /// <summary>Which offsets are taken.</summary>
    public OffsetRule Offsets { get; } = new(from);

    /// <summary>Everything below this offset was observed, or is no record for consumers.</summary>
    public long Position => Volatile.Read(ref position);

    /// <summary>Why the partition is not followed any further; null while it is.</summary>
    public Fault? Broken => broken;

    /// <summary>What keeps it from being fetched for now.</summary>
    public Fault? Trouble
    {
        get => trouble;
        set => trouble = value;
    }

    /// <summary>Where the next fetch begins.</summary>
    public TopicPartitionOffset Next => new(Partition, Position);

    /// <summary>Everything below the offset is done with.</summary>
    public void MoveTo(long next)
    {
        proofs = 0;
        Offsets.MoveTo(next);
        Volatile.Write(ref position, next);
    }

    /// <summary>Counts questions to the broker about one offset; false when there were too many.</summary>
    public bool MayProve() => ++proofs <= MostProofsInARow;

    /// <summary>Ends following.</summary>
    public void Break(Fault fault) => broken = fault;
}
