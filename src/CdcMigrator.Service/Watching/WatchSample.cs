namespace CdcMigrator.Service.Watching;

/// <summary>What tells whether a connector works, at one moment.</summary>
/// <param name="At">When.</param>
/// <param name="ShouldRun">Whether Connect says that it runs, or does not answer; not where it is paused or failed, which is a fault of its own.</param>
/// <param name="Confirmed">The slot's confirmed position.</param>
/// <param name="Written">Where the source writes.</param>
/// <param name="Heartbeats">Fence rows met so far.</param>
/// <param name="Records">Records in the captured topics, all told.</param>
/// <param name="Readers">Backends of the connector in the source.</param>
internal sealed record WatchSample(DateTimeOffset At, bool ShouldRun, ulong Confirmed, ulong Written, long Heartbeats, long Records, IReadOnlyList<int> Readers);
