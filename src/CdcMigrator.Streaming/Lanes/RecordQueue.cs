using System.Collections.Concurrent;

namespace CdcMigrator.Streaming.Lanes;

/// <summary>
/// Records between the poll thread, which adds, and a lane's stream, which takes. It never refuses one: its <see cref="Bytes"/> tell the poll thread
/// to pause the partition, so it holds at most the limit and one record.
/// </summary>
internal sealed class RecordQueue
{
    /// <summary>What a queued record costs beside its bytes: the objects around them.</summary>
    private const int Overhead = 160;

    private readonly ConcurrentQueue<LogEntry> entries = new();
    private Action? wake;
    private int waiting;
    private long bytes;
    private int count;
    private volatile bool dropped;

    /// <summary>Bytes queued and not yet decoded.</summary>
    public long Bytes => Volatile.Read(ref bytes);

    public bool IsEmpty => Volatile.Read(ref count) == 0;

    /// <summary>Whether the rest is to be dropped: the lane is given up, and whoever owns it next reads it again.</summary>
    public bool Dropped => dropped;

    /// <summary>Timestamp of the first record queued, Unix milliseconds; 0 where there is none.</summary>
    public long OldestTimestampMs => entries.TryPeek(out var entry) ? entry.Record?.TimestampMs ?? 0 : 0;

    /// <summary>What to call when there is something after <see cref="TryTake"/> found nothing, or the rest is dropped. Called on the adder's thread.</summary>
    public void WakeWith(Action action) => Volatile.Write(ref wake, action);

    public void Add(LogEntry entry)
    {
        entries.Enqueue(entry);
        Interlocked.Add(ref bytes, Cost(entry));
        Interlocked.Increment(ref count);
        Wake();
    }

    /// <summary>Takes the next entry; the taker calls <see cref="Release"/> when it is decoded. False where there is none: the taker will be woken.</summary>
    public bool TryTake(out LogEntry entry)
    {
        if (entries.TryDequeue(out entry))
        {
            return true;
        }

        // Looked at once more behind the flag: the adder either sees the flag, or its entry is seen here.
        Interlocked.Exchange(ref waiting, 1);
        return entries.TryDequeue(out entry);
    }

    /// <summary>The stream calls it for each entry it has decoded. Returns the bytes it was counted with.</summary>
    public long Release(LogEntry entry)
    {
        Interlocked.Decrement(ref count);
        Interlocked.Add(ref bytes, -Cost(entry));
        return Cost(entry);
    }

    public void Drop()
    {
        dropped = true;
        Interlocked.MemoryBarrier();
        Wake();
    }

    private void Wake()
    {
        if (Volatile.Read(ref waiting) == 1 && Interlocked.Exchange(ref waiting, 0) == 1)
        {
            Volatile.Read(ref wake)?.Invoke();
        }
    }

    /// <summary>Bytes an entry is counted with.</summary>
    public static long Cost(LogEntry entry) => Overhead + (entry.Record?.Size ?? 0);
}
