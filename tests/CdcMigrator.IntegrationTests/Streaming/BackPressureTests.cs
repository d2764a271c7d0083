using CdcMigrator.Domain.Status;
using static CdcMigrator.IntegrationTests.Streaming.PipelineHarness;

namespace CdcMigrator.IntegrationTests.Streaming;

public sealed class BackPressureTests
{
    [Fact]
    public async Task A_stalled_target_pauses_its_lane_and_costs_neither_membership_nor_order()
    {
        await using var harness = new PipelineHarness();
        var stall = new TaskCompletionSource();
        harness.Store.BeforeCommit = (batch, _) => batch.Lane == Lane(0) ? stall.Task : Task.CompletedTask;
        var options = harness.Options with { LaneBytes = 100_000, BatchChanges = 50, MaxPollInterval = TimeSpan.FromSeconds(7), };
        var pipeline = await harness.StartAsync(options with
        {
            Client = new Dictionary<string, string> { ["group.protocol"] = "classic", ["session.timeout.ms"] = "6000" },
        });
        harness.Broker.ProduceMany(Topic, 12_000);
        await UntilAsync(() => harness.Store.Total == 9_000, "other lanes are done");
        await UntilAsync(() => StatusOf(pipeline)?.State == LaneState.Paused, "paused");
        Assert.Equal(3_000, StatusOf(pipeline)!.LagRecords);
        Assert.True(StatusOf(pipeline)!.LagTime > TimeSpan.Zero);
        await UntilAsync(() => Scrape(harness).Contains("cdcmigrator_lane_paused{topic=\"shop.public.t\",partition=\"0\"} 1", StringComparison.Ordinal), "metric");
        Assert.Contains("cdcmigrator_consumer_lag_records{topic=\"shop.public.t\",partition=\"0\"} 3000", Scrape(harness), StringComparison.Ordinal);

        // Longer than max.poll.interval: the poll thread must go on turning for the lanes to stay.
        await Task.Delay(TimeSpan.FromSeconds(9), TestContext.Current.CancellationToken);
        Assert.Equal(4, pipeline.Status().Lanes.Count);
        stall.SetResult();
        await UntilAsync(() => harness.Store.Total >= 12_000, "all applied");
        harness.AssertComplete(3_000);
        Assert.Equal(1, harness.Log.Count(117));
        await UntilAsync(() => StatusOf(pipeline) is { State: LaneState.Running, LagRecords: 0, LagTime.Ticks: 0 }, "caught up");
    }

    [Fact]
    public async Task All_lanes_together_are_bounded_and_those_that_move_are_not_starved_by_those_that_do_not()
    {
        await using var harness = new PipelineHarness();
        var stall = new TaskCompletionSource();
        harness.Store.BeforeCommit = (batch, _) => batch.Lane == Lane(3) ? Task.CompletedTask : stall.Task;
        var pipeline = await harness.StartAsync(harness.Options with { LaneBytes = 1 << 30, TotalBytes = 300_000, BatchChanges = 50 });
        harness.Broker.ProduceMany(Topic, 40_000);
        await UntilAsync(() => harness.Store.Applied(Lane(3)).Count == 10_000, "the lane that moves is done");
        await UntilAsync(() => Enumerable.Range(0, 3).All(lane => StatusOf(pipeline, lane)?.State == LaneState.Paused), "the others are paused, though none is full by itself");
        stall.SetResult();
        await UntilAsync(() => harness.Store.Total >= 40_000, "all applied");
        harness.AssertComplete(10_000);
    }

    [Fact]
    public async Task Many_pauses_and_resumes_keep_every_record_in_order()
    {
        await using var harness = new PipelineHarness();
        harness.Store.BeforeCommit = (_, cancelled) => Task.Delay(1, cancelled);
        await harness.StartAsync(harness.Options with { LaneBytes = 4_000, BatchChanges = 7 });
        harness.Broker.ProduceMany(Topic, 4_000);
        await UntilAsync(() => harness.Store.Total >= 4_000, "all applied", 90);
        harness.AssertComplete(1_000);
    }

    [Fact]
    public async Task No_more_batches_are_applied_at_once_than_there_are_writers()
    {
        await using var harness = new PipelineHarness();
        var now = 0;
        var most = 0;
        harness.Store.BeforeCommit = async (_, cancelled) =>
        {
            most = Math.Max(most, Interlocked.Increment(ref now));
            await Task.Delay(3, cancelled);
            Interlocked.Decrement(ref now);
        };
        harness.Broker.ProduceMany(Topic, 800);
        await harness.StartAsync(harness.Options with { Writers = 2, BatchChanges = 10 });
        await UntilAsync(() => harness.Store.Total == 800, "all applied");
        Assert.Equal(2, most);
    }

    [Fact]
    public async Task A_lane_that_waits_for_another_lends_its_turn_to_it()
    {
        await using var harness = new PipelineHarness();
        harness.Store.BeforeTurn = async (batch, turn, cancelled) =>
        {
            if (batch.Lane != Lane(3))
            {
                turn.GiveBack();
                while (harness.Store.Applied(Lane(3)).Count == 0)
                {
                    await Task.Delay(5, cancelled);
                }

                await turn.TakeAgainAsync(cancelled);
            }
        };
        await harness.StartAsync(harness.Options with { Writers = 1 });
        harness.Broker.ProduceMany(Topic, 3);
        await Task.Delay(300, TestContext.Current.CancellationToken);
        Assert.Equal(0, harness.Store.Total);
        await harness.Broker.ProduceAsync(Topic, 3, "k", "frees the others");
        await UntilAsync(() => harness.Store.Total == 4, "all applied");
    }

    private static string Scrape(PipelineHarness harness)
    {
        using var text = new MemoryStream();
        harness.Registry.CollectAndExportAsTextAsync(text).Wait();
        return System.Text.Encoding.UTF8.GetString(text.ToArray());
    }
}
