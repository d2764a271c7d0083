using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Log;

namespace CdcMigrator.Embedded.Publishing;

/// <summary>
/// What is published but not yet committed in the target. Keeps the publisher below the broker's memory, and knows the LSN below
/// which nothing is missing from the target. Thread-safe; one publisher.
/// </summary>
internal sealed class FlowControl(string incarnation)
{
    /// <summary>Most unapplied bytes of a partition; a larger record goes alone. The broker forgets beyond about 5 MiB.</summary>
    public const int LaneLimit = 3 * 1024 * 1024;

    private readonly Lock gate = new();
    private readonly Dictionary<LaneId, LaneFlow> lanes = [];
    private readonly Queue<Milestone> milestones = new();
    private Milestone? newest;
    private TaskCompletionSource moved = NewSignal();
    private long published;
    private bool discarding;
    private ulong confirmable;

    /// <summary>LSN up to which every published record is committed in the target. Never falls.</summary>
    public ulong Confirmable
    {
        get
        {
            lock (gate)
            {
                return confirmable;
            }
        }
    }

    /// <summary>Whether records are dropped instead of published: nobody waits for room then. A log that has dropped one must not publish again in this phase.</summary>
    public bool IsDiscarding
    {
        get
        {
            lock (gate)
            {
                return discarding;
            }
        }

        set
        {
            lock (gate)
            {
                discarding = value;
                Signal();
            }
        }
    }

    /// <summary>Records and bytes in flight.</summary>
    public (long Records, long Bytes) Unapplied
    {
        get
        {
            lock (gate)
            {
                return (lanes.Values.Sum(lane => (long)lane.InFlight.Count), lanes.Values.Sum(lane => lane.Bytes));
            }
        }
    }

    /// <summary>Whether progress has to be read: records are in flight, or an LSN waits for them.</summary>
    public bool IsWaiting
    {
        get
        {
            lock (gate)
            {
                return milestones.Count > 0 || lanes.Values.Any(lane => lane.InFlight.Count > 0);
            }
        }
    }

    /// <summary>Waits until a record fits into its partition.</summary>
    public ValueTask WaitForRoomAsync(LaneId lane, int bytes, CancellationToken cancellationToken) =>
        HasRoom(lane, bytes) ? ValueTask.CompletedTask : new ValueTask(WaitUntilAsync(() => HasRoom(lane, bytes), cancellationToken));

    /// <summary>Waits until nothing of the topic is in flight; of any topic where it is null.</summary>
    public Task WaitUntilAppliedAsync(string? topic, CancellationToken cancellationToken) =>
        WaitUntilAsync(() => discarding || lanes.All(pair => pair.Value.InFlight.Count == 0 || (topic is not null && pair.Key.Topic != topic)), cancellationToken);

    /// <summary>Counts a record as published and returns the offset it gets: offsets of a partition follow each other.</summary>
    public long Publish(LaneId lane, int bytes)
    {
        lock (gate)
        {
            var flow = Lane(lane);
            flow.InFlight.Enqueue(new InFlight(++published, bytes));
            flow.Bytes += bytes;
            return flow.EndOffset++;
        }
    }

    /// <summary>Says that all that the source committed below this LSN is published.</summary>
    public void Reach(ulong lsn)
    {
        lock (gate)
        {
            // What was dropped must not be confirmed before the drop is durably meant.
            if (discarding || lsn <= confirmable || lsn <= newest?.Lsn)
            {
                return;
            }

            if (newest is not null && milestones.Count > 0 && newest.Published == published)
            {
                newest.Lsn = lsn;
            }
            else
            {
                newest = new Milestone { Lsn = lsn, Published = published };
                milestones.Enqueue(newest);
            }

            PassMilestones();
        }
    }

    /// <summary>Takes committed progress in. Rows of other incarnations are no news.</summary>
    public void Apply(IReadOnlyList<LaneProgress> progress)
    {
        lock (gate)
        {
            var any = false;
            foreach (var row in progress)
            {
                if (row.ClusterId == incarnation && lanes.TryGetValue(row.Lane, out var flow))
                {
                    any |= flow.DropBelow(row.NextOffset);
                }
            }

            PassMilestones();
            if (any)
            {
                Signal();
            }
        }
    }

    /// <summary>Stops waiting for what is in flight: nobody is going to apply it.</summary>
    public void Abandon()
    {
        lock (gate)
        {
            foreach (var flow in lanes.Values)
            {
                flow.DropBelow(flow.EndOffset);
            }

            PassMilestones();
            Signal();
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task WaitUntilAsync(Func<bool> condition, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task signal;
            lock (gate)
            {
                if (condition())
                {
                    return;
                }

                signal = moved.Task;
            }

            await signal.WaitAsync(cancellationToken);
        }
    }

    private bool HasRoom(LaneId lane, int bytes)
    {
        lock (gate)
        {
            var flow = Lane(lane);
            return discarding || flow.Bytes == 0 || flow.Bytes + bytes <= LaneLimit;
        }
    }

    private LaneFlow Lane(LaneId lane)
    {
        if (!lanes.TryGetValue(lane, out var flow))
        {
            lanes.Add(lane, flow = new LaneFlow());
        }

        return flow;
    }

    private void PassMilestones()
    {
        var firstInFlight = long.MaxValue;
        foreach (var flow in lanes.Values)
        {
            if (flow.InFlight.TryPeek(out var oldest))
            {
                firstInFlight = Math.Min(firstInFlight, oldest.Sequence);
            }
        }

        while (milestones.TryPeek(out var milestone) && milestone.Published < firstInFlight)
        {
            confirmable = milestone.Lsn;
            milestones.Dequeue();
        }
    }

    private void Signal()
    {
        var signal = moved;
        moved = NewSignal();
        signal.SetResult();
    }

    private readonly record struct InFlight(long Sequence, int Bytes);

    private sealed class Milestone
    {
        public ulong Lsn { get; set; }

        public long Published { get; init; }
    }

    private sealed class LaneFlow
    {
        public Queue<InFlight> InFlight { get; } = new();

        public long EndOffset { get; set; }

        public long Bytes { get; set; }

        public bool DropBelow(long offset)
        {
            var any = false;
            while (InFlight.Count > 0 && EndOffset - InFlight.Count < offset)
            {
                Bytes -= InFlight.Dequeue().Bytes;
                any = true;
            }

            return any;
        }
    }
}
