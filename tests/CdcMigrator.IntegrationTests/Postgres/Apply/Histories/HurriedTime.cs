namespace CdcMigrator.IntegrationTests.Postgres.Apply.Histories;

/// <summary>The system's time at many times its speed, so that pauses between looks at other lanes cost a test next to nothing.</summary>
internal sealed class HurriedTime(int speed) : TimeProvider
{
    public override long GetTimestamp() => base.GetTimestamp() * speed;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        base.CreateTimer(callback, state, Faster(dueTime), Faster(period));

    private TimeSpan Faster(TimeSpan time) => time <= TimeSpan.Zero ? time : time / speed;
}
