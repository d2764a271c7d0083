using System.Threading.Channels;

namespace CdcMigrator.Streaming.Lanes;

/// <summary>
/// Records between the poll thread and a lane's stream. It never refuses one: its <see cref="Bytes"/> tell the poll thread to pause the
/// partition, so it holds at most the limit and one record.
/// </summary>
internal sealed class RecordQueue
{
    /// <summary>What a queued record costs beside its bytes: the objects around them.</summary>
    private const int Overhead = 160;

    // Not SingleReader: the lag is read by peeking from other threads.
    private readonly Channel<LogEntry> channel = Channel.CreateUnbounded<LogEntry>();
    private long bytes;
    private int count;
    private volatile bool dropped;

    public ChannelReader<LogEntry> Reader => channel.Reader;

    /// <summary>Bytes queued and not yet decoded.</summary>
    public long Bytes => Volatile.Read(ref bytes);

    public bool IsEmpty => Volatile.Read(ref count) == 0;

    /// <summary>Whether the rest is to be dropped: the lane is given up, and whoever owns it next reads it again.</summary>
    public bool Dropped => dropped;

    /// <summary>Timestamp of the first record queued, Unix milliseconds; 0 where there is none.</summary>
    public long OldestTimestampMs => channel.Reader.TryPeek(out var entry) ? entry.Record?.TimestampMs ?? 0 : 0;

    public void Add(LogEntry entry)
    {
        Interlocked.Increment(ref count);
        Interlocked.Add(ref bytes, Cost(entry));
        channel.Writer.TryWrite(entry);
    }

    /// <summary>The stream calls it for each entry it has decoded.</summary>
    public void Release(LogEntry entry)
    {
        Interlocked.Decrement(ref count);
        Interlocked.Add(ref bytes, -Cost(entry));
    }

    public void Drop()
    {
        dropped = true;
        channel.Writer.TryComplete();
    }

    private static long Cost(LogEntry entry) => Overhead + (entry.Record?.Size ?? 0);
}
