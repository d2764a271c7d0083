namespace CdcMigrator.UnitTests.Cutover;

/// <summary>The system's time, but pauses of less than a second cost nothing; deadlines stay what they are.</summary>
internal sealed class ShortPauses : TimeProvider
{
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        base.CreateTimer(callback, state, dueTime < TimeSpan.FromSeconds(1) && dueTime > TimeSpan.Zero ? TimeSpan.Zero : dueTime, period);
}
