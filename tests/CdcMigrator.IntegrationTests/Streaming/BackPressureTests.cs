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
        Assert.Contains("cdcmigrator_lane_paused{topic=\"shop.public.t\",partition=\"0\"} 1", await Scrape(harness, "lane_paused"), StringComparison.Ordinal);

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

    private static async Task<string> Scrape(PipelineHarness harness, string name)
    {
        using var text = new MemoryStream();
        await harness.Registry.CollectAndExportAsTextAsync(text);
        return string.Join('\n', System.Text.Encoding.UTF8.GetString(text.ToArray()).Split('\n').Where(line => line.Contains(name, StringComparison.Ordinal)));
    }
}
