using System.Collections.Concurrent;
using CdcMigrator.Domain.Log;

namespace CdcMigrator.Streaming.Following;

/// <summary>All who wait for positions. Any thread may add; the follower's thread looks.</summary>
internal sealed class Reachings
{
    private readonly ConcurrentQueue<Reaching> added = new();
    private readonly List<Reaching> waiting = [];

    /// <summary>Adds one.</summary>
    public void Add(Reaching reaching) => added.Enqueue(reaching);

    /// <summary>Ends the waits that are over.</summary>
    public void Look(IReadOnlyDictionary<LaneId, FollowedLane> lanes)
    {
        while (added.TryDequeue(out var reaching))
        {
            waiting.Add(reaching);
        }

        if (waiting.Count > 0)
        {
            waiting.ForEach(reaching => reaching.Look(lanes));
            waiting.RemoveAll(reaching => reaching.IsOver);
        }
    }

    /// <summary>Ends all waits: those that are reached, and the others without.</summary>
    public void End(IReadOnlyDictionary<LaneId, FollowedLane> lanes)
    {
        Look(lanes);
        waiting.ForEach(reaching => reaching.Cancel());
    }
}
