using CdcMigrator.Domain.Status;
using static CdcMigrator.IntegrationTests.Streaming.PipelineHarness;

namespace CdcMigrator.IntegrationTests.Streaming;

public sealed class ApplyPipelineTests
{
    [Fact]
    public async Task Every_record_of_every_lane_is_applied_once_and_in_order()
    {
        await using var harness = new PipelineHarness();
        harness.Broker.ProduceMany(Topic, 20_000);
        var pipeline = await harness.StartAsync();
        await UntilAsync(() => harness.Store.Total >= 20_000, "all applied");
        harness.AssertComplete(5_000);
        Assert.Equal(20_000, pipeline.Status().Applied.Inserts);
        Assert.True(harness.Store.LargestBatch > 1);
        await UntilAsync(() => pipeline.Status().Lanes.All(lane => lane is { LagRecords: 0, LagTime.Ticks: 0, State: LaneState.Running }), "caught up");
    }

    [Fact]
    public async Task A_single_change_does_not_wait_for_company()
    {
        await using var harness = new PipelineHarness();
        harness.Broker.ProduceMany(Topic, 4);
        await harness.StartAsync();
        await UntilAsync(() => harness.Store.Total == 4, "first");
        var commits = harness.Store.Commits;
        await harness.Broker.ProduceAsync(Topic, 2, "k", "late");
        await UntilAsync(() => harness.Store.Total == 5, "second");
        Assert.Equal(commits + 1, harness.Store.Commits);
    }

    [Fact]
    public async Task A_restart_goes_on_where_the_target_stands_whatever_the_group_says()
    {
        await using var harness = new PipelineHarness();
        harness.Broker.ProduceMany(Topic, 400);
        await using (var first = await harness.StartAsync())
        {
            await UntilAsync(() => harness.Store.Total == 400, "first run");
            await first.StopAsync();
        }

        harness.Broker.ProduceMany(Topic, 400, first: 400);
        harness.Store.Seed(Lane(3), 50);
        await harness.StartAsync();
        await UntilAsync(() => harness.Store.NextOffset(Lane(3)) == 200 && harness.Store.Total == 600 + 150, "second run");
        Assert.Equal(50, harness.Store.Applied(Lane(3))[0].Offset);
        Assert.Equal(Enumerable.Range(0, 200).Select(i => (long)i), harness.Store.Applied(Lane(0)).Select(change => change.Offset));
    }

    [Fact]
    public async Task A_topic_that_does_not_exist_yet_is_waited_for_and_named()
    {
        await using var harness = new PipelineHarness();
        harness.Broker.ProduceMany(Topic, 4);
        var pipeline = await harness.StartAsync(harness.Options with { Topics = [Topic, "shop.public.later"], FenceTopic = "shop.cdc_migrator.fence" });
        await UntilAsync(() => harness.Store.Total == 4, "existing topic");
        Assert.Equal(["shop.public.later", "shop.cdc_migrator.fence"], pipeline.Status().MissingTopics);

        harness.Broker.ProduceMany("shop.public.later", 8);
        await UntilAsync(() => harness.Store.Total == 12, "topic that appeared");
        Assert.Equal(["shop.cdc_migrator.fence"], pipeline.Status().MissingTopics);
        Assert.Equal(2, harness.Log.Count(104));
    }

    [Fact]
    public async Task A_graceful_stop_lets_the_batch_in_flight_finish_and_begins_nothing_new()
    {
        await using var harness = new PipelineHarness();
        var entered = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        harness.Store.BeforeCommit = async (_, _) =>
        {
            entered.TrySetResult();
            await release.Task;
        };
        for (var i = 0; i < 10; i++)
        {
            await harness.Broker.ProduceAsync(Topic, 0, "k", $"v{i}");
        }

        var pipeline = await harness.StartAsync(harness.Options with { BatchChanges = 2 });
        await entered.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        var stop = pipeline.StopAsync(TestContext.Current.CancellationToken);
        Assert.False(stop.IsCompleted);
        await UntilAsync(() => pipeline.Status().Lanes.Count == 0, "lanes given up");
        release.SetResult();
        await stop;
        Assert.Equal(1, harness.Store.Commits);
        Assert.InRange(harness.Store.NextOffset(Lane(0)), 1, 2);
    }

    [Fact]
    public async Task A_stop_cancels_a_batch_that_never_ends()
    {
        await using var harness = new PipelineHarness();
        harness.Store.BeforeCommit = (_, cancelled) => Task.Delay(Timeout.Infinite, cancelled);
        await harness.Broker.ProduceAsync(Topic, 0, "k", "v");
        var pipeline = await harness.StartAsync(harness.Options with { DrainTimeout = TimeSpan.FromMilliseconds(200) });
        await UntilAsync(() => StatusOf(pipeline)?.LagRecords == 1, "in flight");
        await pipeline.StopAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, harness.Store.Commits);
    }

    [Fact]
    public async Task Fence_rows_are_told_in_order_and_move_progress_at_once()
    {
        await using var harness = new PipelineHarness();
        await harness.Broker.ProduceAsync(Topic, 0, "k", "v");
        await harness.Broker.ProduceAsync(Topic, 0, "k", "fence-heartbeat");
        await harness.Broker.ProduceAsync(Topic, 0, "k", "marker:1");
        await harness.StartAsync(harness.Options with { EmptyBatchInterval = TimeSpan.FromHours(1) });
        await UntilAsync(() => harness.Store.NextOffset(Lane(0)) == 3, "marker applied");
        await harness.Broker.ProduceAsync(Topic, 0, "k", "heartbeat");
        await harness.Broker.ProduceAsync(Topic, 0, "k", "marker:2");
        await UntilAsync(() => harness.Store.NextOffset(Lane(0)) == 5, "second marker applied");
        Assert.Equal(["heartbeat", "marker:1", "marker:2"], harness.Fences.Select(fence => fence.Row.Id));
        Assert.Equal([1L, 2L, 4L], harness.Fences.Select(fence => fence.Offset));
    }

    [Fact]
    public async Task Heartbeats_alone_share_a_transaction_but_still_move_progress()
    {
        await using var harness = new PipelineHarness();
        await harness.Broker.ProduceAsync(Topic, 0, "k", "v");
        await harness.StartAsync(harness.Options with { EmptyBatchInterval = TimeSpan.FromSeconds(2) });
        await UntilAsync(() => harness.Store.NextOffset(Lane(0)) == 1, "first");
        await harness.Broker.ProduceAsync(Topic, 0, "k", null);
        await UntilAsync(() => harness.Store.NextOffset(Lane(0)) == 2, "a first tombstone goes at once");
        var commits = harness.Store.Commits;
        for (var i = 0; i < 20; i++)
        {
            await harness.Broker.ProduceAsync(Topic, 0, "k", "heartbeat");
        }

        await UntilAsync(() => harness.Store.NextOffset(Lane(0)) == 22, "heartbeats");
        Assert.InRange(harness.Store.Commits - commits, 1, 3);
    }
}
