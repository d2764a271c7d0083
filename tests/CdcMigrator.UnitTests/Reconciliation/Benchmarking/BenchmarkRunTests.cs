using CdcMigrator.Domain.Benchmarking;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Reconciliation.Benchmarking;

namespace CdcMigrator.UnitTests.Reconciliation.Benchmarking;

/// <summary>How a benchmark is run on two sides.</summary>
public sealed class BenchmarkRunTests
{
    [Fact]
    public async Task Sides_run_in_turns_and_in_turns_of_who_is_first_with_the_results_read_beside_the_times()
    {
        var order = new List<string>();
        await using var source = new FakeSide("s", order);
        await using var target = new FakeSide("t", order);
        var result = await new BenchmarkRun(source, target, false, TimeProvider.System, TimeSpan.Zero).RunAsync(new Benchmark("b", "select 1", "select 1", 3), TestContext.Current.CancellationToken);
        Assert.Equal("S T s t t s s t S T", string.Join(' ', order));
        Assert.Equal((BenchmarkOutcome.Passed, 3), (result.Outcome, result.Runs));
    }

    [Fact]
    public async Task A_text_that_cannot_be_run_is_run_on_neither_side()
    {
        var order = new List<string>();
        await using var source = new FakeSide("s", order);
        await using var target = new FakeSide("t", order);
        var run = new BenchmarkRun(source, target, false, TimeProvider.System, TimeSpan.Zero);
        Assert.Equal(BenchmarkOutcome.Skipped, (await run.RunAsync(new Benchmark("b", "select 1", "delete from t"), TestContext.Current.CancellationToken)).Outcome);
        Assert.Empty(order);
    }

    [Theory]
    [InlineData("query", true)]
    [InlineData("query-time", true)]
    [InlineData("unreachable", false)]
    public async Task A_query_that_is_refused_is_a_result_and_a_side_that_is_away_a_fault(string code, bool isResult)
    {
        await using var source = new FakeSide("s", []);
        await using var target = new FakeSide("t", []) { Fault = new Fault(FaultKind.Configuration, code, "no") };
        var run = new BenchmarkRun(source, target, false, TimeProvider.System, TimeSpan.Zero).RunAsync(new Benchmark("b", "select 1", "select 1"), TestContext.Current.CancellationToken);
        if (isResult)
        {
            Assert.Equal((BenchmarkOutcome.Failed, "no"), ((await run).Outcome, (await run).Reason));
        }
        else
        {
            await Assert.ThrowsAsync<FaultException>(() => run);
        }
    }

    [Fact]
    public async Task Results_that_differ_are_looked_at_again_before_they_are_called_different()
    {
        Assert.Equal(("equal", BenchmarkOutcome.Passed), await JudgeAsync(["2", "2", "1"], ["p"]));
        Assert.Equal(("not comparable", BenchmarkOutcome.Passed), await JudgeAsync(["2"], ["p", "q"]));
        Assert.Equal(("not comparable", BenchmarkOutcome.Passed), await JudgeAsync(["2", "2", "2", "2", "3"], ["p"]));
        Assert.Equal(("different", BenchmarkOutcome.Different), await JudgeAsync(["2"], ["p"]));

        static async Task<(string, BenchmarkOutcome)> JudgeAsync(string[] results, string[] places)
        {
            await using var source = new FakeSide("s", []);
            await using var target = new FakeSide("t", []) { Results = new Queue<string>(results), Places = new Queue<string>(places) };
            var result = await new BenchmarkRun(source, target, false, TimeProvider.System, TimeSpan.Zero).RunAsync(new Benchmark("b", "select 1", "select 1", 1), TestContext.Current.CancellationToken);
            return (result.Results, result.Outcome);
        }
    }

    /// <summary>A side whose results and places are given; the last of each stays.</summary>
    private sealed class FakeSide(string name, List<string> order) : IReadSide
    {
        public Fault? Fault { get; init; }

        public Queue<string> Results { get; init; } = new(["1"]);

        public Queue<string> Places { get; init; } = new(["p"]);

        public Task<double> RunAsync(string sql, ResultDigester? digester, CancellationToken cancellationToken)
        {
            if (Fault is { } fault)
            {
                throw new FaultException(fault);
            }

            digester?.Add([Next(Results)]);
            order.Add(digester is null ? name : name.ToUpperInvariant());
            return Task.FromResult(1.0);
        }

        public Task<string> ReadPlaceAsync(string sql, CancellationToken cancellationToken) => Task.FromResult(Next(Places));

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private static string Next(Queue<string> queue) => queue.Count > 1 ? queue.Dequeue() : queue.Peek();
    }
}
