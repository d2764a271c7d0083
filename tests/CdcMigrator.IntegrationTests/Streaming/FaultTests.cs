using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Status;
using static CdcMigrator.IntegrationTests.Streaming.PipelineHarness;

namespace CdcMigrator.IntegrationTests.Streaming;

public sealed class FaultTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Failing_before_or_after_any_commit_loses_and_doubles_nothing(bool before)
    {
        await using var harness = new PipelineHarness();
        var random = new Random(before ? 1 : 2);
        Task Fail()
        {
            lock (random)
            {
                return random.Next(4) == 0 ? throw new FaultException(FaultKind.Transient, "connection-lost", "the connection was lost") : Task.CompletedTask;
            }
        }

        harness.Store.BeforeCommit = before ? (_, _) => Fail() : null;
        harness.Store.AfterCommit = before ? null : _ => Fail();
        harness.Broker.ProduceMany(Topic, 2_000);
        var pipeline = await harness.StartAsync(harness.Options with { BatchChanges = 50 });
        await UntilAsync(() => harness.Store.Total >= 2_000, "all applied");
        harness.AssertComplete(500);
        await UntilAsync(() => pipeline.Status().Lanes.All(lane => lane is { LagRecords: 0 }), "caught up");
    }

    [Fact]
    public async Task A_lane_with_nothing_to_apply_notices_that_the_target_came_back_with_less_and_applies_it_again()
    {
        await using var harness = new PipelineHarness();
        for (var i = 0; i < 10; i++)
        {
            await harness.Broker.ProduceAsync(Topic, 0, "k", $"v{i}");
        }

        var pipeline = await harness.StartAsync();
        await UntilAsync(() => harness.Store.NextOffset(Lane(0)) == 10 && StatusOf(pipeline) is { LagRecords: 0 }, "all applied");
        harness.Store.Seed(Lane(0), 4);
        await UntilAsync(() => harness.Store.NextOffset(Lane(0)) == 10 && StatusOf(pipeline) is { LagRecords: 0, Fault: null }, "applied again");
        Assert.Equal(Enumerable.Range(4, 6).Select(i => $"v{i}"), harness.Store.Applied(Lane(0)).Select(change => change.Value));
    }

    [Fact]
    public async Task A_conflict_makes_the_next_batch_smaller()
    {
        await using var harness = new PipelineHarness();
        var sizes = new List<int>();
        harness.Store.BeforeCommit = (batch, _) =>
        {
            sizes.Add(batch.Changes.Count);
            return sizes.Count <= 3 ? throw new FaultException(FaultKind.Transient, "deadlock", "40P01") : Task.CompletedTask;
        };
        for (var i = 0; i < 64; i++)
        {
            await harness.Broker.ProduceAsync(Topic, 0, "k", $"v{i}");
        }

        await harness.StartAsync(harness.Options with { BatchChanges = 32 });
        await UntilAsync(() => harness.Store.Total == 64, "all applied");
        Assert.True(sizes[1] <= 16 && sizes[2] <= 8 && sizes[3] <= 4, string.Join(",", sizes));
        Assert.Equal(Enumerable.Range(0, 64).Select(i => $"v{i}"), harness.Store.Applied(Lane(0)).Select(change => change.Value));
    }

    [Fact]
    public async Task Poison_halts_its_lane_alone_after_what_precedes_it_and_goes_on_by_itself_once_cured()
    {
        await using var harness = new PipelineHarness();
        harness.Broker.ProduceMany(Topic, 40);
        await harness.Broker.ProduceAsync(Topic, 0, "k", "poison");
        harness.Broker.ProduceMany(Topic, 40, first: 40);
        var pipeline = await harness.StartAsync();
        await UntilAsync(() => harness.Store.Total == 70 && StatusOf(pipeline)?.State == LaneState.Halted, "others are done");
        var status = StatusOf(pipeline)!;
        Assert.Equal(("unknown-column", 10L, Lane(0)), (status.Fault!.Code, status.Fault.Offset, status.Fault.Lane));
        Assert.Equal((10, 11), (status.NextOffset, status.LagRecords));
        var claims = harness.Store.Claims;
        await UntilAsync(() => harness.Store.Claims >= claims + 3, "it tries by itself");
        Assert.Equal(1, harness.Log.Count(113));
        Assert.True(StatusOf(pipeline)!.State == LaneState.Halted);

        harness.Decoding.Cured = true;
        await UntilAsync(() => harness.Store.Total == 81, "cured");
        await UntilAsync(() => StatusOf(pipeline) is { State: LaneState.Running, Fault: null }, "running");
        Assert.Equal(1, harness.Log.Count(114));
    }

    [Fact]
    public async Task A_halted_lane_tries_again_at_once_when_told_to()
    {
        await using var harness = new PipelineHarness();
        await harness.Broker.ProduceAsync(Topic, 0, "k", "poison");
        var pipeline = await harness.StartAsync(harness.Options with { HaltedRetryInterval = TimeSpan.FromHours(1) });
        await UntilAsync(() => StatusOf(pipeline)?.State == LaneState.Halted, "halted");
        harness.Decoding.Cured = true;
        await UntilAsync(
            () =>
            {
                pipeline.Retry(Lane(0));
                return harness.Store.Total == 1;
            },
            "retried");
    }

    [Fact]
    public async Task A_change_the_target_refuses_lets_those_before_it_through()
    {
        await using var harness = new PipelineHarness();
        harness.Store.BeforeCommit = (batch, _) => batch.Changes.Any(change => change.Offset == 5)
            ? throw new FaultException(new Fault(FaultKind.Poison, "not-null", "null in a column that is NOT NULL") { Offset = 5 })
            : Task.CompletedTask;
        for (var i = 0; i < 10; i++)
        {
            await harness.Broker.ProduceAsync(Topic, 0, "k", $"v{i}");
        }

        var pipeline = await harness.StartAsync();
        await UntilAsync(() => harness.Store.NextOffset(Lane(0)) == 5 && StatusOf(pipeline)?.State == LaneState.Halted, "stands in front of it");
        harness.Store.BeforeCommit = null;
        await UntilAsync(() => harness.Store.Total == 10, "goes on");
    }

    [Fact]
    public async Task A_record_that_is_too_large_is_poison()
    {
        await using var harness = new PipelineHarness();
        await harness.Broker.ProduceAsync(Topic, 0, "k", "small");
        harness.Broker.ProduceBytes(Topic, 0, 1, 200_000);
        var pipeline = await harness.StartAsync(harness.Options with { MaxRecordBytes = 100_000 });
        await UntilAsync(() => StatusOf(pipeline)?.State == LaneState.Halted, "halted");
        Assert.Equal("record-too-large", StatusOf(pipeline)!.Fault!.Code);
        Assert.Equal(1, harness.Store.NextOffset(Lane(0)));
    }

    [Fact]
    public async Task A_schema_is_loaded_and_the_same_record_decoded_again()
    {
        await using var harness = new PipelineHarness();
        await harness.Broker.ProduceAsync(Topic, 0, "k", "v");
        await harness.Broker.ProduceAsync(Topic, 0, "k", "schema:7");
        await harness.Broker.ProduceAsync(Topic, 0, "k", "schema:7");
        await harness.StartAsync();
        await UntilAsync(() => harness.Store.Total == 3, "applied");
        Assert.Equal(1, harness.Decoding.Loads);
    }

    [Fact]
    public async Task A_registry_that_is_down_makes_the_lane_retry_until_it_is_up()
    {
        await using var harness = new PipelineHarness();
        harness.Decoding.BeforeLoad = _ => throw new FaultException(FaultKind.Unreachable, "registry-unreachable", "the schema registry does not answer");
        await harness.Broker.ProduceAsync(Topic, 0, "k", "v");
        await harness.Broker.ProduceAsync(Topic, 0, "k", "schema:7");
        var pipeline = await harness.StartAsync();
        await UntilAsync(() => StatusOf(pipeline) is { State: LaneState.Retrying, NextOffset: 1 } && harness.Decoding.Loads > 2, "retrying");
        Assert.Equal("registry-unreachable", StatusOf(pipeline)!.Fault!.Code);
        Assert.Equal(1, harness.Log.Count(112));
        harness.Decoding.BeforeLoad = null;
        await UntilAsync(() => harness.Store.Total == 2 && StatusOf(pipeline) is { State: LaneState.Running, Fault: null }, "applied");
    }

    [Fact]
    public async Task A_schema_the_registry_does_not_know_halts_the_lane()
    {
        await using var harness = new PipelineHarness();
        harness.Decoding.BeforeLoad = id => throw new FaultException(FaultKind.Poison, "unknown-schema", $"the registry has no schema {id}");
        await harness.Broker.ProduceAsync(Topic, 0, "k", "schema:7");
        var pipeline = await harness.StartAsync();
        await UntilAsync(() => StatusOf(pipeline) is { State: LaneState.Halted, Fault.Code: "unknown-schema", Fault.Offset: 0 }, "halted");
    }

    [Fact]
    public async Task A_target_that_does_not_answer_at_the_claim_is_waited_for()
    {
        await using var harness = new PipelineHarness();
        var down = true;
        harness.Store.BeforeClaim = _ => down ? throw new FaultException(FaultKind.Unreachable, "target-unreachable", "no answer") : Task.CompletedTask;
        harness.Broker.ProduceMany(Topic, 8);
        var pipeline = await harness.StartAsync();
        await UntilAsync(() => StatusOf(pipeline) is { State: LaneState.Retrying, Fault.Code: "target-unreachable" }, "retrying");
        down = false;
        await UntilAsync(() => harness.Store.Total == 8 && StatusOf(pipeline) is { Fault: null }, "applied");
    }

    [Fact]
    public async Task A_defect_in_the_target_code_halts_the_lane_by_name_instead_of_the_process()
    {
        await using var harness = new PipelineHarness();
        harness.Store.BeforeCommit = (_, _) => throw new NotSupportedException("a bug");
        await harness.Broker.ProduceAsync(Topic, 0, "k", "v");
        var pipeline = await harness.StartAsync();
        await UntilAsync(() => StatusOf(pipeline) is { State: LaneState.Halted, Fault.Kind: FaultKind.Internal }, "halted");
        Assert.Contains("a bug", StatusOf(pipeline)!.Fault!.Message, StringComparison.Ordinal);
        harness.Store.BeforeCommit = null;
        await UntilAsync(() => harness.Store.Total == 1, "goes on");
    }
}
