using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;

namespace CdcMigrator.Streaming.Following;

/// <summary>Someone who waits for positions.</summary>
internal sealed class Reaching(IReadOnlyDictionary<LaneId, long> ends, CancellationToken givenUp)
{
    private readonly TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends once all positions are reached, or one never will be.</summary>
    public Task Task => done.Task;

    /// <summary>Whether the wait is over.</summary>
    public bool IsOver => done.Task.IsCompleted || givenUp.IsCancellationRequested;

    /// <summary>Looks at the positions.</summary>
    public void Look(IReadOnlyDictionary<LaneId, FollowedLane> lanes)
    {
        foreach (var (id, end) in ends)
        {
            if (end <= 0)
            {
                continue;
            }

            if (!lanes.TryGetValue(id, out var lane))
            {
                done.TrySetException(new FaultException(FaultKind.Internal, "not-followed", $"{id} is waited for and not followed"));
                return;
            }

            if (lane.Position >= end)
            {
                continue;
            }

            if (lane.Broken is { } fault)
            {
                done.TrySetException(new FaultException(fault));
            }

            return;
        }

        done.TrySetResult();
    }

    /// <summary>Nothing moves any more.</summary>
    public void Cancel() => done.TrySetCanceled();
}
