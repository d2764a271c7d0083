using CdcMigrator.Service.Watching;
using Microsoft.Extensions.Time.Testing;

namespace CdcMigrator.UnitTests.Service;

public sealed class RestartScheduleTests
{
    private readonly FakeTimeProvider time = new();

    private DateTimeOffset Now => time.GetUtcNow();

    [Fact]
    public void The_first_restarts_come_soon_and_later_ones_ever_later() => Assert.Equal(
        [2, 5, 10, 120, 360, 720, 1200, 1800, 2520, 3360, 3600, 3600], Enumerable.Range(0, 12).Select(count => (int)RestartSchedule.PauseAfter(count).TotalSeconds));

    [Fact]
    public void No_count_is_too_high() => Assert.Equal(TimeSpan.FromHours(1), RestartSchedule.PauseAfter(int.MaxValue));

    [Fact]
    public void The_pause_begins_when_it_is_first_seen_failed()
    {
        var schedule = new RestartSchedule(7);
        Assert.Null(schedule.Next);
        schedule.Failed(Now);
        var due = Now + TimeSpan.FromSeconds(2);
        Assert.Equal(due, schedule.Next);
        time.Advance(TimeSpan.FromSeconds(1));
        schedule.Failed(Now);
        Assert.Equal(due, schedule.Next);
    }

    [Fact]
    public void A_restart_is_followed_by_a_longer_pause_from_the_next_failure_on()
    {
        var schedule = new RestartSchedule(7);
        schedule.Failed(Now);
        schedule.Asked(isCounted: true);
        Assert.Equal((1, null), (schedule.Count, schedule.Next));
        time.Advance(TimeSpan.FromSeconds(30));
        schedule.Running(Now);
        Assert.Null(schedule.Next);
        time.Advance(TimeSpan.FromSeconds(30));
        schedule.Failed(Now);
        Assert.Equal(Now + TimeSpan.FromSeconds(5), schedule.Next);
    }

    [Fact]
    public void A_request_that_cannot_have_done_anything_counts_for_nothing()
    {
        var schedule = new RestartSchedule(1);
        schedule.Failed(Now);
        schedule.Asked(isCounted: false);
        schedule.Failed(Now);
        Assert.Equal((0, Now + TimeSpan.FromSeconds(2)), (schedule.Count, schedule.Next));
    }

    [Fact]
    public void After_the_last_restart_there_is_none_until_it_has_run_for_a_while()
    {
        var schedule = new RestartSchedule(2);
        FailAndRestart(schedule, 2);
        schedule.Failed(Now);
        Assert.Equal((2, null), (schedule.Count, schedule.Next));
        Run(schedule, TimeSpan.FromMinutes(9));
        schedule.Failed(Now);
        Assert.Equal((2, null), (schedule.Count, schedule.Next));

        // Another failure in between: the time it runs begins anew.
        Run(schedule, TimeSpan.FromMinutes(9));
        Assert.Equal(2, schedule.Count);
        Run(schedule, TimeSpan.FromMinutes(1));
        Assert.Equal(0, schedule.Count);
        schedule.Failed(Now);
        Assert.Equal(Now + TimeSpan.FromSeconds(2), schedule.Next);
    }

    [Fact]
    public void What_is_neither_failed_nor_running_is_not_restarted_and_has_not_run()
    {
        var schedule = new RestartSchedule(7);
        FailAndRestart(schedule, 1);
        schedule.Failed(Now);
        schedule.Idle();
        Assert.Null(schedule.Next);
        Run(schedule, TimeSpan.FromMinutes(6));
        schedule.Idle();
        Run(schedule, TimeSpan.FromMinutes(6));
        Assert.Equal(1, schedule.Count);
    }

    [Fact]
    public void Of_none_there_is_never_one()
    {
        var schedule = new RestartSchedule(0);
        schedule.Failed(Now);
        Assert.Null(schedule.Next);
    }

    private void FailAndRestart(RestartSchedule schedule, int times)
    {
        for (var i = 0; i < times; i++)
        {
            schedule.Failed(Now);
            Assert.NotNull(schedule.Next);
            time.Advance(schedule.Next.Value - Now);
            schedule.Asked(isCounted: true);
        }
    }

    private void Run(RestartSchedule schedule, TimeSpan length)
    {
        schedule.Running(Now);
        time.Advance(length);
        schedule.Running(Now);
    }
}
