using System.Diagnostics.CodeAnalysis;
using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Status;
using CdcMigrator.Streaming.Consuming;
using CdcMigrator.Streaming.Inspection;

namespace CdcMigrator.Streaming.Lanes;

/// <summary>
/// One assigned partition, from assignment to revocation: claim, stream until a fault, recover, claim again. It never trusts what it
/// remembers over a claim: after every fault only the target knows what was committed.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Tokens without timers hold nothing, and are read until the last task of the lane ends.")]
internal sealed class Lane
{
    /// <summary>A fenced lane is normally about to be revoked; claiming back at once would only fence the new owner.</summary>
    private static readonly TimeSpan FencedPause = TimeSpan.FromSeconds(1);

    /// <summary>How often a closed or held lane asks whether it may go on.</summary>
    private static readonly TimeSpan ClosedPause = TimeSpan.FromMilliseconds(500);

    /// <summary>Code of a claim that is refused while the migration is paused.</summary>
    private const string HeldCode = "lane-held";

    private readonly LaneParts parts;
    private readonly ILaneFeed feed;
    private readonly Func<LaneSession, Task> stream;
    private readonly LaneTrouble trouble;
    private readonly CancellationTokenSource closing = new();
    private readonly CancellationTokenSource aborted = new();
    private readonly Lock gate = new();
    private LogIdentity? identity;
    private LaneSession? session;
    private CancellationTokenSource? pause;
    private int batchChanges;
    private long nextOffset = -1;
    private long endOffset = -1;
    private long behindSinceMs;
    private long carriedOldestMs;
    private volatile bool claimed;
    private volatile bool closed;
    private volatile bool held;

    public Lane(LaneId id, LaneParts parts, ILaneFeed feed, Func<LaneSession, Task> stream)
    {
        Id = id;
        this.parts = parts;
        this.feed = feed;
        this.stream = stream;
        trouble = new LaneTrouble(id, parts.Log);
        batchChanges = parts.Options.BatchChanges;
    }

    public LaneId Id { get; }

    /// <summary>Completes when the lane has let go: nothing of it runs any more.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    /// <summary>The session whose records the poll thread delivers. Its own field: no other thread touches it.</summary>
    public LaneSession? Feeding { get; set; }

    /// <summary>Whether the poll thread has paused the new partition yet. Its own field.</summary>
    public bool SeenByPoll { get; set; }

    /// <summary>Committed progress; -1 before the first claim.</summary>
    public long NextOffset => Volatile.Read(ref nextOffset);

    /// <summary>End of the partition as last heard; -1 before.</summary>
    public long KnownEnd => Volatile.Read(ref endOffset);

    private bool Parks => parts.Options.OnPoison == PoisonPolicy.DeadLetter;

    public void Start() => Completion = Task.Run(RunAsync);

    /// <summary>Gives the lane up: what is in flight may finish, the rest is dropped.</summary>
    public Task Close()
    {
        closing.Cancel();
        Volatile.Read(ref session)?.Records.Drop();
        return Completion;
    }

    /// <summary>Cancels what is in flight too.</summary>
    public void Abort()
    {
        _ = Close();
        aborted.Cancel();
    }

    /// <summary>Ends the pause of a halted or retrying lane. True where there was one.</summary>
    public bool Retry()
    {
        lock (gate)
        {
            if (pause is null)
            {
                return false;
            }

            identity = null;
            pause.Cancel();
            return true;
        }
    }

    /// <summary>Has the lane claim anew, for the target may refuse it now. A batch in flight ends first, committed or not.</summary>
    public void ClaimAgain(string why)
    {
        if (Volatile.Read(ref session) is { Broken: null } current)
        {
            current.Break(new Fault(FaultKind.NotAllowed, HeldCode, why) { Lane = Id });
        }
    }

    /// <summary>The log check's finding: halts the lane where the topic is another one than at its first claim.</summary>
    public void Check(LogIdentity? now)
    {
        if (identity is { } before && Volatile.Read(ref session) is { Broken: null } current)
        {
            current.Break(now is null ? LogRules.TopicGone(Id) : LogRules.CheckIdentity(Id, before, now));
        }
    }

    /// <summary>The log check's finding: the end, asked for after <paramref name="committed"/> was read.</summary>
    public void Check(long committed, LogRange range)
    {
        NoteEnd(range.End);
        if (committed > range.End && Volatile.Read(ref session) is { Broken: null } current)
        {
            current.Break(LogRules.CheckRange(Id, committed, range with { Start = 0 }));
        }
    }

    /// <summary>The target's progress, asked for after <paramref name="committed"/> was read: where it has less it lost transactions, with their rows, and the lane applies them again.</summary>
    public void CheckProgress(long committed, LaneProgress? row)
    {
        if ((row is null || row.NextOffset < committed || row.ClusterId != identity?.ClusterId) && claimed && Volatile.Read(ref session) is { Broken: null } current)
        {
            var reached = row is null || row.ClusterId != identity?.ClusterId ? 0 : row.NextOffset;
            current.Break(new Fault(
                FaultKind.Transient, "progress-lost", $"The target's progress is at {reached}, and {committed} was committed there: it came back without its last transactions, or was set back",
                "The lane applies again from there by itself; look at the target's failover")
            { Lane = Id, Offset = reached });
        }
    }

    public void NoteEnd(long offset) => Volatile.Write(ref endOffset, offset);

    /// <summary>A batch of the session was committed.</summary>
    public void Acknowledge(LaneBatch batch)
    {
        if (!batch.MovesProgress)
        {
            return;
        }

        Volatile.Write(ref nextOffset, batch.Changes.NextOffset);
        Volatile.Write(ref carriedOldestMs, 0);
        Volatile.Write(ref behindSinceMs, 0);
        batchChanges = Math.Min(parts.Options.BatchChanges, Math.Max(1, batchChanges) * 2);
        trouble.MovedTo(batch.Changes.NextOffset);
    }

    public LaneStatus Status()
    {
        var next = NextOffset;
        // Nothing of a closed lane will be applied, so nothing of it is behind.
        var end = closed ? next : Math.Max(next, Volatile.Read(ref endOffset));
        var (fault, state) = trouble.Current;
        return new LaneStatus
        {
            Lane = Id,
            NextOffset = next,
            EndOffset = end,
            State = closing.IsCancellationRequested ? LaneState.Revoked
                : closed ? LaneState.Closed
                : held ? LaneState.Held
                : state ?? (!claimed ? LaneState.Claiming : Volatile.Read(ref session) is { Paused: true } ? LaneState.Paused : LaneState.Running),
            Fault = fault,
            LagTime = next >= 0 && end > next ? Age() : TimeSpan.Zero,
        };
    }

    private async Task RunAsync()
    {
        while (!closing.IsCancellationRequested)
        {
            LaneSession? current = null;
            try
            {
                current = await ClaimAsync().ConfigureAwait(false);
                await stream(current).ConfigureAwait(false);
                Refuse(current.Broken);
                EndSession(current);
            }
            catch (Exception e)
            {
                EndSession(current);
                if (!closing.IsCancellationRequested)
                {
                    var fault = Faulted.From(e, Id);
                    await RecoverAsync(fault, fault.Offset ?? (current is null ? -1 : NextOffset)).ConfigureAwait(false);
                }
            }
        }
    }

    private async Task<LaneSession> ClaimAsync()
    {
        var log = await parts.Inspector.DescribeAsync([Id.Topic], closing.Token).ConfigureAwait(false);
        var topic = log.Topic(Id.Topic);
        if (!topic.Exists)
        {
            throw new FaultException(identity is null
                ? new Fault(FaultKind.Unreachable, "topic-missing", $"Topic {Id.Topic} is not on the broker") { Lane = Id }
                : LogRules.TopicGone(Id));
        }

        var now = new LogIdentity(log.ClusterId, topic.TopicId, topic.Partitions) { Ephemeral = parts.Options.Incarnation is not null };
        Refuse(identity is null ? null : LogRules.CheckIdentity(Id, identity, now));
        var range = await RangeAsync().ConfigureAwait(false);
        // A lane begins with its topic, not where the log still begins: what is gone was never applied. Old markers alone are no loss.
        var begin = Id.Topic == parts.Options.FenceTopic ? range.Start : 0;
        ILaneWriter writer;
        try
        {
            writer = await parts.Store.ClaimAsync(Id, now, begin, closing.Token).ConfigureAwait(false);
        }
        catch (FaultException exception) when (exception.Fault.Code == HeldCode)
        {
            await NoteProgressAsync(now, begin, range).ConfigureAwait(false);
            throw;
        }

        identity = now;
        (closed, held) = (false, false);

        // The end was read before the claim: the former owner may have moved past it since.
        range = writer.NextOffset > range.End ? await RangeAsync().ConfigureAwait(false) : range;
        Volatile.Write(ref nextOffset, writer.NextOffset);
        NoteEnd(range.End);
        Refuse(LogRules.CheckRange(Id, writer.NextOffset, range));
        trouble.MovedTo(writer.NextOffset);

        var decoder = parts.Decoders();
        var begun = new LaneSession(this, writer, decoder, closing.Token, aborted.Token)
        {
            BatchChanges = batchChanges,
            Suspect = trouble.SuspectOffset,
            Parking = new Parking(decoder, writer, parts.Options.OnPoison, Parks ? trouble.Condemned : null),
            Offsets = new OffsetRule(writer.NextOffset),
        };
        Volatile.Write(ref session, begun);
        claimed = true;
        if (trouble.Current.Fault is null)
        {
            StreamingLog.LaneClaimed(parts.Log, Id, writer.NextOffset, writer.Epoch);
        }

        feed.Begin(begun);
        if (closing.IsCancellationRequested)
        {
            begun.Records.Drop();
        }

        return begun;
    }

    /// <summary>How far a lane is that may not be claimed: what waits for it is to be seen.</summary>
    private async Task NoteProgressAsync(LogIdentity now, long begin, LogRange range)
    {
        var progress = (await parts.Store.ReadProgressAsync(closing.Token).ConfigureAwait(false)).FirstOrDefault(lane => lane.Lane == Id && lane.ClusterId == now.ClusterId);
        Volatile.Write(ref nextOffset, progress?.NextOffset ?? begin);
        NoteEnd(range.End);
    }

    private async Task<LogRange> RangeAsync() =>
        (await parts.Inspector.ReadRangesAsync([Id], closing.Token).ConfigureAwait(false))[Id];

    private async Task RecoverAsync(Fault fault, long offset)
    {
        if (fault.Code == "lane-frozen")
        {
            if (!closed)
            {
                StreamingLog.LaneClosed(parts.Log, Id);
            }

            (closed, held) = (true, false);
            await PauseAsync(ClosedPause).ConfigureAwait(false);
            return;
        }

        if (fault.Code == HeldCode)
        {
            if (!held)
            {
                StreamingLog.LaneHeld(parts.Log, Id, fault.Message);
            }

            (held, closed) = (true, false);
            await PauseAsync(ClosedPause).ConfigureAwait(false);
            return;
        }

        if (fault.Kind == FaultKind.Fenced)
        {
            StreamingLog.LaneFenced(parts.Log, Id);
            await PauseAsync(FencedPause).ConfigureAwait(false);
            return;
        }

        parts.Metrics.Retried(fault.Code);
        batchChanges = fault.Kind == FaultKind.Transient ? Math.Max(1, batchChanges / 2) : batchChanges;
        var attempt = trouble.Add(fault, offset);
        await PauseAsync(LaneTrouble.IsPassing(fault.Kind) || (Parks && ParkedRecord.MayPark(fault)) ? Backoff.Delay(attempt, Random.Shared.NextDouble())
            : fault.Kind == FaultKind.LogBroken ? Timeout.InfiniteTimeSpan
            : parts.Options.HaltedRetryInterval).ConfigureAwait(false);
    }

    private async Task PauseAsync(TimeSpan time)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(closing.Token);
        lock (gate)
        {
            pause = ended;
        }

        try
        {
            await Task.Delay(time, parts.Time, ended.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Retry was asked for, or the lane is given up: both go on above.
        }

        lock (gate)
        {
            pause = null;
        }
    }

    private void EndSession(LaneSession? ended)
    {
        claimed = false;
        if (ended is null)
        {
            return;
        }

        Volatile.Write(ref carriedOldestMs, ended.OldestPendingMs);
        Volatile.Write(ref session, null);
        ended.Records.Drop();
        feed.End(ended);
    }

    private static void Refuse(Fault? fault)
    {
        if (fault is not null)
        {
            throw new FaultException(fault);
        }
    }

    private TimeSpan Age()
    {
        var now = parts.Time.GetUtcNow().ToUnixTimeMilliseconds();
        var oldest = Volatile.Read(ref session)?.OldestPendingMs ?? 0;
        oldest = oldest > 0 ? oldest : Volatile.Read(ref carriedOldestMs);
        if (oldest <= 0)
        {
            // Nothing of it was read yet: it is behind at least since it was first seen to be.
            Interlocked.CompareExchange(ref behindSinceMs, now, 0);
            oldest = Volatile.Read(ref behindSinceMs);
        }

        return TimeSpan.FromMilliseconds(Math.Max(0, now - oldest));
    }
}
