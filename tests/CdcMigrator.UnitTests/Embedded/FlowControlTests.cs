using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Log;
using CdcMigrator.Embedded.Publishing;

namespace CdcMigrator.UnitTests.Embedded;

public sealed class FlowControlTests
{
    private static readonly LaneId A = new("t", 0);
    private static readonly LaneId B = new("t", 1);
    private readonly FlowControl flow = new("now");

    [Fact]
    public void Position_is_confirmable_when_every_record_below_it_is_committed_in_its_own_lane()
    {
        flow.Publish(A, 10);
        flow.Publish(B, 10);
        flow.Reach(100);
        flow.Publish(A, 10);
        flow.Reach(200);
        Assert.Equal(0UL, flow.Confirmable);
        flow.Apply([Progress(A, 2)]);
        Assert.Equal(0UL, flow.Confirmable);
        flow.Apply([Progress(B, 1)]);
        Assert.Equal(200UL, flow.Confirmable);
        Assert.Equal((0, 0), flow.Unapplied);
    }

    [Fact]
    public void Later_transaction_does_not_confirm_an_earlier_one()
    {
        flow.Publish(A, 10);
        flow.Reach(100);
        flow.Publish(B, 10);
        flow.Reach(200);
        flow.Apply([Progress(B, 1)]);
        Assert.Equal(0UL, flow.Confirmable);
    }

    [Fact]
    public void Position_reached_inside_a_transaction_does_not_confirm_its_later_records()
    {
        flow.Publish(A, 10);
        flow.Reach(100);
        flow.Publish(A, 10);
        flow.Apply([Progress(A, 1)]);
        Assert.Equal(100UL, flow.Confirmable);
        Assert.Equal(1, flow.Unapplied.Records);
    }

    [Fact]
    public void Progress_of_another_incarnation_is_no_news()
    {
        flow.Publish(A, 10);
        flow.Reach(100);
        flow.Apply([Progress(A, 1000) with { ClusterId = "before" }]);
        Assert.Equal(0UL, flow.Confirmable);
    }

    [Fact]
    public void Idle_position_is_confirmable_at_once_and_never_falls()
    {
        flow.Reach(100);
        flow.Reach(50);
        Assert.Equal(100UL, flow.Confirmable);
        Assert.False(flow.IsWaiting);
    }

    [Fact]
    public async Task Discarding_ends_every_wait_and_confirms_nothing()
    {
        flow.Publish(A, FlowControl.LaneLimit);
        var room = flow.WaitForRoomAsync(A, 1, CancellationToken.None).AsTask();
        var applied = flow.WaitUntilAppliedAsync(null, CancellationToken.None);
        flow.IsDiscarding = true;
        await Task.WhenAll(room, applied).WaitAsync(TimeSpan.FromSeconds(10));
        flow.Reach(100);
        flow.Abandon();
        Assert.Equal(0UL, flow.Confirmable);
        flow.IsDiscarding = false;
        flow.Reach(200);
        Assert.Equal(200UL, flow.Confirmable);
    }

    [Fact]
    public async Task Full_lane_waits_for_its_own_progress_and_a_large_record_goes_alone()
    {
        await flow.WaitForRoomAsync(A, FlowControl.LaneLimit + 1, CancellationToken.None);
        flow.Publish(A, FlowControl.LaneLimit + 1);
        var waiting = flow.WaitForRoomAsync(A, 1, CancellationToken.None).AsTask();
        await flow.WaitForRoomAsync(B, 1, CancellationToken.None);
        Assert.False(waiting.IsCompleted);
        flow.Apply([Progress(A, 1)]);
        await waiting.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Wait_until_applied_looks_at_the_topic_asked_for()
    {
        flow.Publish(new LaneId("other", 0), 1);
        await flow.WaitUntilAppliedAsync("t", CancellationToken.None);
        Assert.False(flow.WaitUntilAppliedAsync(null, CancellationToken.None).IsCompleted);
    }

    private static LaneProgress Progress(LaneId lane, long next) => new(lane, next, SourcePosition.None, 1, default, false) { ClusterId = "now" };
}
