namespace CdcMigrator.Service.Watching;

/// <summary>
/// When a connector that has failed is restarted: soon, then ever later, and only so often in a row. What has run for a while begins anew. Pure; not thread-safe.
/// </summary>
/// <param name="limit">Most restarts in a row; 0: none.</param>
internal sealed class RestartSchedule(int limit)
{
    /// <summary>A broker or worker that died is back within seconds, and a cutover may be waiting for its log.</summary>
    private static readonly TimeSpan[] Soon = [TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(10)];

    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    /// <summary>What ran so long has not failed in a row.</summary>
    private static readonly TimeSpan Steady = TimeSpan.FromMinutes(10);
    private DateTimeOffset? failedAt;
    private DateTimeOffset? runsSince;

    /// <summary>Restarts in a row so far.</summary>
    public int Count { get; private set; }

    /// <summary>When the next restart is due; null while nothing has failed, and where none is left.</summary>
    public DateTimeOffset? Next => failedAt is { } at && Count < limit ? at + PauseAfter(Count) : null;

    /// <summary>How long what has failed stays so before it is restarted: 2, 5 and 10 s, then n² + n minutes up to an hour.</summary>
    /// <param name="count">Restarts in a row so far.</param>
    public static TimeSpan PauseAfter(int count)
    {
        if (count < Soon.Length)
        {
            return Soon[count];
        }

        var later = count - Soon.Length + 1L;
        return TimeSpan.FromMinutes(Math.Min(Longest.TotalMinutes, (later * later) + later));
    }

    /// <summary>It was seen failed.</summary>
    public void Failed(DateTimeOffset now)
    {
        failedAt ??= now;
        runsSince = null;
    }

    /// <summary>It was seen running.</summary>
    public void Running(DateTimeOffset now)
    {
        failedAt = null;
        runsSince ??= now;
        Count = now - runsSince >= Steady ? 0 : Count;
    }

    /// <summary>It was seen neither failed nor running: paused, restarting, between two workers.</summary>
    public void Idle() => (failedAt, runsSince) = (null, null);

    /// <summary>Connect was asked to restart it.</summary>
    /// <param name="isCounted">Whether it may have done so.</param>
    public void Asked(bool isCounted)
    {
        // Connect says FAILED for a moment longer: from then on the next pause is counted.
        failedAt = null;
        Count += isCounted ? 1 : 0;
    }
}
