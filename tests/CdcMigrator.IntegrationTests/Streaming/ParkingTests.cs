using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Status;
using CdcMigrator.Streaming;
using static CdcMigrator.IntegrationTests.Streaming.PipelineHarness;

namespace CdcMigrator.IntegrationTests.Streaming;

/// <summary>What a lane parks, in which order, and what it must not park.</summary>
public sealed class ParkingTests
{
    [Fact]
    public async Task An_undecodable_record_is_parked_with_every_later_one_of_its_row_and_the_others_go_on()
    {
        await using var harness = new PipelineHarness();
        await ProduceAsync(harness, ("a", "a1"), ("b", "broken"), ("a", "a2"), ("b", "b2"), ("c", "c1"), ("b", "broken again"), ("b", null), ("a", "a3"));
        var pipeline = await harness.StartAsync(Parks(harness));
        await UntilAsync(() => harness.Store.NextOffset(Lane(0)) == 8, "the lane is through");
        Assert.Equal(["a1", "a2", "c1", "a3"], Applied(harness));
        Assert.Equal([(1, "undecodable"), (3, ParkedRecord.Behind), (5, ParkedRecord.Behind)], Parked(harness));
        Assert.Equal(new ChangeKey("public.t", "b"), harness.Store.Parked(Lane(0))[0].Key);
        await UntilAsync(() => StatusOf(pipeline) is { State: LaneState.Running, Fault: null }, "all is well");
        await UntilAsync(() => harness.Log.Count(119) == 3, "each is told of once");
    }

    [Fact]
    public async Task A_record_the_target_refuses_is_parked_once_it_was_refused_alone()
    {
        await using var harness = new PipelineHarness();
        var refusals = new List<int>();
        harness.Store.BeforeCommit = (batch, _) =>
        {
            if (batch.Changes.All(change => change.Offset != 2))
            {
                return Task.CompletedTask;
            }

            refusals.Add(batch.Changes.Count);
            throw new FaultException(new Fault(FaultKind.Poison, "check", "violates a constraint") { Offset = 2 });
        };
        await ProduceAsync(harness, ("a", "a1"), ("b", "b1"), ("k", "k1"), ("b", "b2"), ("k", "k2"), ("a", "a2"));
        await harness.StartAsync(Parks(harness));
        await UntilAsync(() => harness.Store.NextOffset(Lane(0)) == 6, "the lane is through");
        Assert.Equal(["a1", "b1", "b2", "a2"], Applied(harness));
        Assert.Equal([(2, "check"), (4, ParkedRecord.Behind)], Parked(harness));
        Assert.Equal(1, refusals[^1]);
        Assert.True(refusals.Count >= 2, "it was not confirmed");
    }

    [Fact]
    public async Task Rows_parked_by_a_former_owner_stay_parked_whatever_the_policy_until_they_are_freed()
    {
        await using var harness = new PipelineHarness();
        await ProduceAsync(harness, ("b", "broken"), ("a", "a1"));
        await using (var first = await harness.StartAsync(Parks(harness)))
        {
            await UntilAsync(() => harness.Store.NextOffset(Lane(0)) == 2, "parked");
            await first.StopAsync(TestContext.Current.CancellationToken);
        }

        await harness.StartAsync();
        await ProduceAsync(harness, ("b", "b2"), ("a", "a2"));
        await UntilAsync(() => harness.Store.NextOffset(Lane(0)) == 4, "the new owner is through");
        Assert.Equal([(0, "undecodable"), (2, ParkedRecord.Behind)], Parked(harness));

        harness.Store.Free(Lane(0));
        await ProduceAsync(harness, ("b", "b3"));
        await UntilAsync(() => harness.Store.Applied(Lane(0)).Any(change => change.Value == "b3"), "freed");
        Assert.Equal(["a1", "a2", "b3"], Applied(harness));
    }

    [Theory]
    [InlineData("b", "poison", "unknown-column")]
    [InlineData(null, "broken", "undecodable")]
    public async Task What_concerns_the_whole_table_or_an_unknown_row_halts(string? key, string value, string code)
    {
        await using var harness = new PipelineHarness();
        await ProduceAsync(harness, ("a", "a1"));
        await harness.Broker.ProduceAsync(Topic, 0, key, value);
        await ProduceAsync(harness, ("a", "a2"));
        var pipeline = await harness.StartAsync(Parks(harness));
        await UntilAsync(() => StatusOf(pipeline) is { State: LaneState.Halted } status && status.Fault!.Code == code, "halted");
        var claims = harness.Store.Claims;
        await UntilAsync(() => harness.Store.Claims >= claims + 3, "it tries again");
        Assert.Equal(["a1"], Applied(harness));
        Assert.Empty(Parked(harness));
        harness.Decoding.Cured = true;
        await UntilAsync(() => harness.Store.Total == 3, "it goes on by itself");
    }

    [Fact]
    public async Task A_later_record_without_a_readable_row_halts_while_a_row_is_parked()
    {
        await using var harness = new PipelineHarness();
        await ProduceAsync(harness, ("b", "broken"));
        await harness.Broker.ProduceAsync(Topic, 0, null, "whose?");
        var pipeline = await harness.StartAsync(Parks(harness));
        await UntilAsync(() => StatusOf(pipeline) is { State: LaneState.Halted, Fault.Code: "keyless", Fault.Offset: 1 }, "halted");
        Assert.Empty(Applied(harness));
    }

    [Fact]
    public async Task A_truncate_does_not_pass_parked_rows()
    {
        await using var harness = new PipelineHarness();
        await ProduceAsync(harness, ("b", "broken"), ("x", "truncate"), ("a", "a1"));
        var pipeline = await harness.StartAsync(Parks(harness));
        await UntilAsync(() => StatusOf(pipeline) is { State: LaneState.Halted, Fault.Code: "truncate-behind-parked", Fault.Offset: 1 }, "halted");
        harness.Store.Free(Lane(0));
        await UntilAsync(() => harness.Store.NextOffset(Lane(0)) == 3, "it goes on by itself");
    }

    [Theory]
    [InlineData("truncate@10/20", true)]
    [InlineData("truncate@50/20", true)]
    [InlineData("truncate@10/80", false)]
    public async Task A_truncate_that_was_applied_passes_parked_rows_and_one_that_only_seems_older_behind_a_connectors_start_does_not(string truncate, bool passes)
    {
        await using var harness = new PipelineHarness();
        harness.Store.Highest = new SourcePosition(60, 70, 1);
        await ProduceAsync(harness, ("b", "broken"), ("x", truncate), ("a", "a1"));
        var pipeline = await harness.StartAsync(Parks(harness));
        await UntilAsync(() => harness.Store.NextOffset(Lane(0)) == 3 || StatusOf(pipeline)?.State == LaneState.Halted, "the lane is through, or halted");
        Assert.Equal(passes ? null : "truncate-behind-parked", StatusOf(pipeline)?.Fault?.Code);
    }

    [Fact]
    public async Task A_truncate_of_another_table_passes_parked_rows()
    {
        await using var harness = new PipelineHarness();
        await ProduceAsync(harness, ("b", "broken"), ("x", "truncate:public.other"), ("a", "a1"));
        var pipeline = await harness.StartAsync(Parks(harness));
        await UntilAsync(() => harness.Store.NextOffset(Lane(0)) == 3 || StatusOf(pipeline)?.State == LaneState.Halted, "the lane is through, or halted");
        Assert.Equal((3, "undecodable"), (harness.Store.NextOffset(Lane(0)), Assert.Single(Parked(harness)).Code));
    }

    [Fact]
    public async Task Passing_faults_and_a_broken_log_never_park()
    {
        await using var harness = new PipelineHarness();
        var failures = 0;
        harness.Store.BeforeCommit = (_, _) => failures++ switch
        {
            0 or 2 => throw new FaultException(new Fault(FaultKind.Transient, "deadlock", "40P01") { Offset = 0 }),
            1 => throw new FaultException(new Fault(FaultKind.Unreachable, "server-shutdown", "57P01") { Offset = 0 }),
            3 => throw new FaultException(new Fault(FaultKind.Configuration, "missing-column", "42703") { Offset = 0 }),
            4 => throw new FaultException(new Fault(FaultKind.Internal, "unexpected", "a bug") { Offset = 0 }),
            5 => throw new FaultException(new Fault(FaultKind.Poison, "check", "once alone is not twice") { Offset = 0 }),
            6 => throw new FaultException(new Fault(FaultKind.Transient, "deadlock", "40P01") { Offset = 0 }),
            7 => throw new FaultException(new Fault(FaultKind.Poison, "check", "refused once more, but not twice in a row") { Offset = 0 }),
            _ => Task.CompletedTask,
        };
        await ProduceAsync(harness, ("a", "a1"));
        await harness.StartAsync(Parks(harness));
        await UntilAsync(() => harness.Store.Total == 1, "applied");
        Assert.Empty(Parked(harness));
    }

    [Fact]
    public async Task A_parked_record_counts_against_the_bytes_of_its_batch()
    {
        await using var harness = new PipelineHarness();
        for (var i = 0; i < 20; i++)
        {
            await ProduceAsync(harness, ("b", $"broken {new string('x', 1000)}"));
        }

        var largest = 0;
        harness.Store.BeforeCommit = (batch, _) =>
        {
            largest = Math.Max(largest, batch.Parked.Count);
            return Task.CompletedTask;
        };
        await harness.StartAsync(Parks(harness) with { BatchBytes = 3000 });
        await UntilAsync(() => harness.Store.NextOffset(Lane(0)) == 20, "the lane is through");
        Assert.Equal(20, Parked(harness).Count);
        Assert.InRange(largest, 1, 3);
    }

    [Fact]
    public async Task A_lane_whose_dead_letters_are_full_halts_and_goes_on_when_there_is_room()
    {
        await using var harness = new PipelineHarness();
        var full = true;
        harness.Store.BeforeCommit = (batch, _) => full && batch.Parked.Count > 0
            ? throw new FaultException(new Fault(FaultKind.Poison, "dead-letters-full", "no more fit") { Offset = batch.Parked[0].Record.Offset })
            : Task.CompletedTask;
        await ProduceAsync(harness, ("a", "a1"), ("b", "broken"), ("a", "a2"));
        var pipeline = await harness.StartAsync(Parks(harness));
        await UntilAsync(() => StatusOf(pipeline) is { State: LaneState.Halted, Fault.Code: "dead-letters-full", NextOffset: 1 }, "halted behind what precedes it");
        full = false;
        await UntilAsync(() => harness.Store.NextOffset(Lane(0)) == 3, "it goes on by itself");
        Assert.Equal([(1, "undecodable")], Parked(harness));
    }

    private static StreamingOptions Parks(PipelineHarness harness) => harness.Options with { OnPoison = PoisonPolicy.DeadLetter };

    private static async Task ProduceAsync(PipelineHarness harness, params (string Key, string? Value)[] records)
    {
        foreach (var (key, value) in records)
        {
            await harness.Broker.ProduceAsync(Topic, 0, key, value);
        }
    }

    private static IEnumerable<string> Applied(PipelineHarness harness) => harness.Store.Applied(Lane(0)).Select(change => change.Value);

    private static List<(int Offset, string Code)> Parked(PipelineHarness harness) =>
        [.. harness.Store.Parked(Lane(0)).Select(parked => ((int)parked.Record.Offset, parked.Code))];
}
