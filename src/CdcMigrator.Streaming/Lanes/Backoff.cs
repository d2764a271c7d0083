namespace CdcMigrator.Streaming.Lanes;

/// <summary>Pauses between attempts: doubling from 100 ms to 5 s, and half of each at random so that lanes do not meet again.</summary>
internal static class Backoff
{
    private const double FirstMs = 100;
    private const double CapMs = 5000;

    /// <param name="attempt">From 1.</param>
    /// <param name="random">From 0 to 1.</param>
    public static TimeSpan Delay(int attempt, double random)
    {
        var full = Math.Min(CapMs, FirstMs * Math.Pow(2, Math.Clamp(attempt - 1, 0, 30)));
        return TimeSpan.FromMilliseconds(full * (0.5 + (random / 2)));
    }
}
