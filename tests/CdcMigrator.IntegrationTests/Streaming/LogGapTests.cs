using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Status;
using CdcMigrator.Streaming.Inspection;
using static CdcMigrator.IntegrationTests.Streaming.PipelineHarness;

namespace CdcMigrator.IntegrationTests.Streaming;

public sealed class LogGapTests
{
    [Fact]
    public async Task Progress_beyond_the_end_of_the_log_halts_the_lane()
    {
        await using var harness = new PipelineHarness();
        harness.Broker.ProduceMany(Topic, 40);
        harness.Store.Seed(Lane(2), 500);
        var pipeline = await harness.StartAsync();
        await UntilAsync(() => harness.Store.Total == 30 && StatusOf(pipeline, 2)?.State == LaneState.Halted, "halted");
        var fault = StatusOf(pipeline, 2)!.Fault!;
        Assert.Equal((FaultKind.LogBroken, "log-truncated"), (fault.Kind, fault.Code));
        Assert.Contains("ends at offset 10, but progress stands at 500", fault.Message, StringComparison.Ordinal);
        Assert.Contains(Topic, fault.Message, StringComparison.Ordinal);

        var claims = harness.Store.Claims;
        await Task.Delay(harness.Options.HaltedRetryInterval * 3, TestContext.Current.CancellationToken);
        Assert.Equal(claims, harness.Store.Claims);
    }

    [Fact]
    public async Task Records_deleted_before_they_were_applied_halt_the_lane_at_the_claim()
    {
        await using var harness = new PipelineHarness();
        harness.Broker.ProduceBytes(Topic, 1, 100, 100_000);
        harness.Store.Seed(Lane(1), 3);
        var start = await StartOf(harness, 1);
        Assert.True(start > 3, $"the broker still has all: {start}");
        var pipeline = await harness.StartAsync();
        await UntilAsync(() => StatusOf(pipeline, 1)?.State == LaneState.Halted, "halted");
        var fault = StatusOf(pipeline, 1)!.Fault!;
        Assert.Equal((FaultKind.LogBroken, "log-gap"), (fault.Kind, fault.Code));
        Assert.Contains($"lost offsets 3 to {start - 1}", fault.Message, StringComparison.Ordinal);
        Assert.Empty(harness.Store.Applied(Lane(1)));
    }

    [Fact]
    public async Task Records_deleted_before_the_first_claim_halt_the_lane()
    {
        await using var harness = new PipelineHarness();
        harness.Broker.ProduceBytes(Topic, 1, 100, 100_000);
        var start = await StartOf(harness, 1);
        Assert.True(start > 0, "the broker still has all");
        var pipeline = await harness.StartAsync();
        await UntilAsync(() => StatusOf(pipeline, 1)?.State == LaneState.Halted, "halted");
        var fault = StatusOf(pipeline, 1)!.Fault!;
        Assert.Equal((FaultKind.LogBroken, "log-gap"), (fault.Kind, fault.Code));
        Assert.Contains($"lost offsets 0 to {start - 1}", fault.Message, StringComparison.Ordinal);
        Assert.Empty(harness.Store.Applied(Lane(1)));
    }

    [Fact]
    public async Task Records_deleted_while_the_target_is_stalled_are_noticed_and_nothing_behind_them_is_applied()
    {
        await using var harness = new PipelineHarness();
        var stall = new TaskCompletionSource();
        harness.Store.BeforeCommit = (_, _) => stall.Task;
        var pipeline = await harness.StartAsync(harness.Options with { LaneBytes = 300_000, BatchChanges = 1 });
        harness.Broker.ProduceBytes(Topic, 0, 10, 100_000);
        await UntilAsync(() => StatusOf(pipeline)?.State == LaneState.Paused, "paused");
        harness.Broker.ProduceBytes(Topic, 0, 150, 100_000);
        var start = await StartOf(harness, 0);
        stall.SetResult();
        await UntilAsync(() => StatusOf(pipeline)?.State == LaneState.Halted, "halted");
        Assert.Equal("log-gap", StatusOf(pipeline)!.Fault!.Code);
        var applied = harness.Store.Applied(Lane(0)).Select(change => change.Offset).ToList();
        Assert.Equal(Enumerable.Range(0, applied.Count).Select(i => (long)i), applied);
        Assert.True(applied.Count < start);
    }

    [Fact]
    public async Task A_new_life_of_the_embedded_log_is_read_from_its_start()
    {
        await using var harness = new PipelineHarness();
        harness.Broker.ProduceMany(Topic, 40);
        harness.Store.Seed(Lane(0), 700, new LogIdentity("life-0", "", 4) { Ephemeral = true });
        await harness.StartAsync();
        await UntilAsync(() => harness.Store.Total == 40, "all applied");
    }

    [Fact]
    public async Task The_inspector_sees_topics_and_ends_and_makes_none()
    {
        await using var harness = new PipelineHarness();
        harness.Broker.ProduceMany(Topic, 40);
        using var inspector = new LogInspector(harness.Broker.BootstrapServers, incarnation: "life-1");
        var log = await inspector.DescribeAsync([Topic, "nowhere"], TestContext.Current.CancellationToken);
        Assert.Equal("life-1", log.ClusterId);
        Assert.Equal(new TopicDescription(Topic, true, "", 4), log.Topic(Topic));
        Assert.False(log.Topic("nowhere").Exists);
        Assert.Equal([Topic], await inspector.ListTopicsAsync(TestContext.Current.CancellationToken));
        var ranges = await inspector.ReadTopicRangesAsync([Topic, "nowhere"], TestContext.Current.CancellationToken);
        Assert.Equal(Enumerable.Repeat(new LogRange(0, 10), 4), ranges.Values);
    }

    [Fact]
    public async Task A_broker_that_is_not_there_is_unreachable()
    {
        using var inspector = new LogInspector("127.0.0.1:1", timeout: TimeSpan.FromMilliseconds(500));
        var e = await Assert.ThrowsAsync<FaultException>(() => inspector.DescribeAsync([Topic], TestContext.Current.CancellationToken));
        Assert.Equal((FaultKind.Unreachable, "log-unreachable"), (e.Fault.Kind, e.Fault.Code));
        Assert.Contains("127.0.0.1:1", e.Fault.Message, StringComparison.Ordinal);
    }

    private static async Task<long> StartOf(PipelineHarness harness, int partition)
    {
        using var inspector = new LogInspector(harness.Broker.BootstrapServers, incarnation: "x");
        return (await inspector.ReadRangesAsync([Lane(partition)]))[Lane(partition)].Start;
    }
}
