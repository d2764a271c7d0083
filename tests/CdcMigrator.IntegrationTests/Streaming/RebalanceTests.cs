using CdcMigrator.Domain.Faults;
using static CdcMigrator.IntegrationTests.Streaming.PipelineHarness;

namespace CdcMigrator.IntegrationTests.Streaming;

public sealed class RebalanceTests
{
    [Fact]
    public async Task A_second_process_takes_over_lanes_without_loss_or_doubling()
    {
        await using var harness = new PipelineHarness();
        harness.Store.BeforeCommit = (_, cancelled) => Task.Delay(2, cancelled);
        harness.Broker.ProduceMany(Topic, 8_000);
        var options = harness.Options with { BatchChanges = 20 };
        var first = await harness.StartAsync(options);
        await UntilAsync(() => harness.Store.Total > 500, "first is busy");
        var second = await harness.StartAsync(options);
        var produced = 8_000;
        await UntilAsync(
            () =>
            {
                harness.Broker.ProduceMany(Topic, 40, first: produced);
                produced += 40;
                return second.Status().Applied.Inserts > 0;
            },
            "second applies too");
        await UntilAsync(() => first.Status().Lanes.Count == 2 && second.Status().Lanes.Count == 2, "two lanes each");
        await UntilAsync(() => harness.Store.Total >= produced, "all applied");
        harness.AssertComplete(produced / 4);

        await second.StopAsync(TestContext.Current.CancellationToken);
        harness.Broker.ProduceMany(Topic, 400, first: produced);
        await UntilAsync(() => harness.Store.Total >= produced + 400, "first alone again");
        harness.AssertComplete((produced / 4) + 100);
    }

    [Fact]
    public async Task A_killed_process_is_replaced_and_its_late_commit_is_shut_out()
    {
        await using var harness = new PipelineHarness();
        var held = new TaskCompletionSource();
        var holding = false;
        harness.Store.BeforeCommit = async (batch, _) =>
        {
            if (holding && batch.Lane == Lane(1))
            {
                holding = false;
                await held.Task;
            }
        };
        harness.Broker.ProduceMany(Topic, 400);
        var options = Classic(harness) with { BatchChanges = 10 };
        var first = await harness.StartAsync(options);
        await UntilAsync(() => harness.Store.Total == 400, "first run");
        holding = true;
        harness.Broker.ProduceMany(Topic, 400, first: 400);
        await UntilAsync(() => !holding, "a batch hangs in the target");
        await first.DisposeAsync();
        await harness.StartAsync(options);
        await UntilAsync(() => harness.Store.Total >= 800, "second owns all lanes");
        var refused = harness.Store.Refusals;
        held.SetResult();
        await UntilAsync(() => harness.Store.Refusals > refused, "the zombie is refused");
        harness.AssertComplete(200);
    }

    [Fact]
    public async Task A_fenced_lane_that_is_still_assigned_claims_again()
    {
        await using var harness = new PipelineHarness();
        harness.Broker.ProduceMany(Topic, 40);
        var pipeline = await harness.StartAsync();
        await UntilAsync(() => harness.Store.Total == 40, "first");
        var thief = await harness.Store.ClaimAsync(Lane(0), new("life-1", "", 4) { Ephemeral = true }, 0, TestContext.Current.CancellationToken);
        harness.Broker.ProduceMany(Topic, 40, first: 40);
        await UntilAsync(() => harness.Store.Total == 80, "claimed back");
        harness.AssertComplete(20);
        Assert.Equal(1, harness.Store.Refusals);
        Assert.True(harness.Store.Applied(Lane(0))[^1].Epoch > thief.Epoch);
        Assert.Null(StatusOf(pipeline)!.Fault);
    }

    [Fact]
    public async Task The_classic_protocol_does_as_well()
    {
        await using var harness = new PipelineHarness();
        harness.Broker.ProduceMany(Topic, 4_000);
        var first = await harness.StartAsync(Classic(harness));
        await UntilAsync(() => harness.Store.Total == 4_000, "all applied");
        harness.AssertComplete(1_000);
        await first.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_setting_the_client_refuses_is_named()
    {
        await using var harness = new PipelineHarness();
        var options = harness.Options with { Client = new Dictionary<string, string> { ["max.bananas"] = "3" } };
        var e = await Assert.ThrowsAsync<FaultException>(() => harness.StartAsync(options));
        Assert.Equal("kafka-client-setting", e.Fault.Code);
        Assert.Contains("max.bananas", e.Fault.Message, StringComparison.Ordinal);
    }

    private static CdcMigrator.Streaming.StreamingOptions Classic(PipelineHarness harness) => harness.Options with
    {
        Client = new Dictionary<string, string> { ["group.protocol"] = "classic", ["session.timeout.ms"] = "6000", ["heartbeat.interval.ms"] = "500" },
    };
}
