using System.Diagnostics;
using CdcMigrator.Embedded.Workload;

namespace CdcMigrator.EndToEndTests.Migration;

/// <summary>The longest time in which no write was acknowledged, on any side, from its start on: measured, never asserted. Accurate to some 50 ms.</summary>
internal sealed class WriteSilence : IAsyncDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly Task watch;
    private long longest;

    /// <summary>Starts to look.</summary>
    public WriteSilence(ShopWorkload workload) => watch = WatchAsync(workload);

    /// <summary>The longest so far.</summary>
    public TimeSpan Longest => TimeSpan.FromTicks(Interlocked.Read(ref longest));

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await watch.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.Dispose();
    }

    private async Task WatchAsync(ShopWorkload workload)
    {
        using var beat = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        var (seen, since) = (workload.Ledger.Acknowledged, Stopwatch.GetTimestamp());
        while (await beat.WaitForNextTickAsync(stop.Token))
        {
            if (workload.Ledger.Acknowledged is var now && now != seen)
            {
                (seen, since) = (now, Stopwatch.GetTimestamp());
            }

            Interlocked.Exchange(ref longest, Math.Max(longest, Stopwatch.GetElapsedTime(since).Ticks));
        }
    }
}
