namespace CdcMigrator.Service.Watching;

/// <summary>
/// Tells a connector that works from one that only says so (Connect's state is RUNNING also while a connector retries for ever). It makes
/// progress when the slot's confirmed position or the heartbeat rows move; and, for a long transaction or a snapshot, when records
/// arrive, but not the same ones again: a run (from one reader's backend to the next) counts only beyond what an earlier run brought. Pure;
/// not thread-safe.
/// </summary>
internal sealed class Watchdog
{
    private DateTimeOffset? since;
    private ulong confirmed;
    private long heartbeats;
    private IReadOnlyList<int> readers = [];
    private long runBegan;
    private long bestRun;

    /// <summary>How long there has been no progress although the source has something; zero while there is, or need be, none.</summary>
    public TimeSpan Look(WatchSample sample)
    {
        ArgumentNullException.ThrowIfNull(sample);
        var moved = Moved(sample);
        if (since is null || moved || !sample.ShouldRun || sample.Written <= sample.Confirmed)
        {
            since = sample.At;
        }

        return sample.At - since.Value;
    }

    private bool Moved(WatchSample sample)
    {
        var streams = sample.Confirmed > confirmed || sample.Heartbeats > heartbeats;
        confirmed = Math.Max(confirmed, sample.Confirmed);
        heartbeats = Math.Max(heartbeats, sample.Heartbeats);
        var sameRun = readers.Intersect(sample.Readers).Any();
        readers = sample.Readers;
        if (streams)
        {
            (runBegan, bestRun) = (sample.Records, 0);
            return true;
        }

        if (!sameRun)
        {
            runBegan = sample.Records;
            return false;
        }

        var run = sample.Records - runBegan;
        if (run <= bestRun)
        {
            return false;
        }

        bestRun = run;
        return true;
    }
}
