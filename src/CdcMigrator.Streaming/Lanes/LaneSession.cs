using System.Collections.Concurrent;
using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Streaming.Consuming;

namespace CdcMigrator.Streaming.Lanes;

/// <summary>One claim of a lane, from the epoch it raised to the fault or revocation that ends it. Nothing of it is used again.</summary>
internal sealed class LaneSession(Lane lane, ILaneWriter writer, IRecordDecoder decoder, CancellationToken closing, CancellationToken aborted)
{
    private readonly ConcurrentBag<LaneBatch> free = [];
    private LaneBatch? open;
    private LaneBatch? applying;
    private long decodedBytes;

    public Lane Owner => lane;

    public LaneId Id => lane.Id;

    public ILaneWriter Writer => writer;

    public IRecordDecoder Decoder => decoder;

    public RecordQueue Records { get; } = new();

    /// <summary>Bytes of records fetched and not applied: those queued and those in batches.</summary>
    public long HeldBytes => Records.Bytes + Volatile.Read(ref decodedBytes);

    /// <summary>Cancelled when the lane is given up: nothing new is begun.</summary>
    public CancellationToken Closing => closing;

    /// <summary>Cancelled when what is in flight has had its time.</summary>
    public CancellationToken Aborted => aborted;

    /// <summary>Most changes of a batch; smaller after conflicts.</summary>
    public required int BatchChanges { get; init; }

    /// <summary>A record that failed in a batch before: it gets a batch of its own, so that those before it are applied; -1 for none.</summary>
    public long Suspect { get; init; } = -1;

    /// <summary>Why the session ended though no record failed: the log is not what it was.</summary>
    public Fault? Broken { get; private set; }

    /// <summary>Which records are put aside instead of applied.</summary>
    public required Parking Parking { get; init; }

    // The poll thread's own notes.
    public required OffsetRule Offsets { get; init; }

    public bool WantsSeek { get; set; } = true;

    public bool Paused { get; set; }

    public bool Verifying { get; set; }

    public int Verifications { get; set; }

    public bool TakesRecords => !WantsSeek && !Paused && !Verifying;

    /// <summary>Source time of the oldest record taken and not applied, Unix milliseconds; 0 where there is none.</summary>
    public long OldestPendingMs
    {
        get
        {
            var inFlight = Volatile.Read(ref applying)?.OldestMs ?? 0;
            var decoded = Volatile.Read(ref open)?.OldestMs ?? 0;
            return inFlight > 0 ? inFlight : decoded > 0 ? decoded : Records.OldestTimestampMs;
        }
    }

    /// <summary>An empty batch to decode into. Two or three exist in a session: one is decoded while one is applied.</summary>
    public LaneBatch OpenBatch(long fromOffset)
    {
        var batch = (free.TryTake(out var used) ? used : new LaneBatch()).Reset(lane.Id, fromOffset);
        Volatile.Write(ref open, batch);
        return batch;
    }

    /// <summary>Ends the session with a fault, if there is one; the batch in flight may finish.</summary>
    public void Break(Fault? fault)
    {
        if (fault is not null)
        {
            Broken = fault;
            Records.Drop();
        }
    }

    /// <summary>An entry went from the queue into a batch.</summary>
    public void Decoded(LogEntry entry, LaneBatch batch)
    {
        var bytes = Records.Release(entry);
        batch.HeldBytes += bytes;
        Interlocked.Add(ref decodedBytes, bytes);
    }

    public void BeginApply(LaneBatch batch) => Volatile.Write(ref applying, batch);

    public void EndApply(LaneBatch batch)
    {
        Volatile.Write(ref applying, null);
        Interlocked.Add(ref decodedBytes, -batch.HeldBytes);
        batch.Changes.Release();
        free.Add(batch);
    }
}
