using CdcMigrator.Domain.Benchmarking;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Reconciliation.Benchmarking;

namespace CdcMigrator.UnitTests.Reconciliation.Benchmarking;

/// <summary>Twice as slow fails; what differs fails only where nothing moved.</summary>
public sealed class BenchmarkRulesTests
{
    private static readonly Benchmark Plain = new("b", "select 1", "select 1");
    private static readonly Benchmark Ordered = new("b", "select v from t order by v", "select v from t order by v");

    [Theory]
    [InlineData(10, 20, BenchmarkOutcome.Passed)]
    [InlineData(10, 20.1, BenchmarkOutcome.Slower)]
    [InlineData(0.1, 1.0, BenchmarkOutcome.Passed)]
    [InlineData(0.1, 1.2, BenchmarkOutcome.Slower)]
    [InlineData(10, 1, BenchmarkOutcome.Passed)]
    public void More_than_twice_as_slow_by_more_than_a_millisecond_is_slower(double source, double target, BenchmarkOutcome expected) =>
        Assert.Equal(expected, Judge(Plain, Series([source], "a"), Series([target], "a")).Outcome);

    [Fact]
    public void A_slow_tail_is_slower_although_the_median_is_not()
    {
        double[] fast = [.. Enumerable.Repeat(10.0, 20)];
        double[] tail = [.. Enumerable.Repeat(10.0, 18), 50, 50];
        var result = Judge(Plain, Series(fast, "a"), Series(tail, "a"));
        Assert.Equal((BenchmarkOutcome.Slower, 10, 50, 5), (result.Outcome, result.TargetP50, result.TargetP95, result.Ratio));
        Assert.Equal(BenchmarkOutcome.Passed, Judge(Plain with { MaxRatio = 5 }, Series(fast, "a"), Series(tail, "a")).Outcome);
    }

    [Fact]
    public void Rows_in_another_order_are_equal_unless_an_order_was_asked_for()
    {
        Assert.Equal("equal", Judge(Plain, Series([1], "a", "b"), Series([1], "b", "a")).Results);
        var result = Judge(Ordered, Series([1], "a", "b"), Series([1], "b", "a"));
        Assert.Equal((BenchmarkOutcome.Different, true), (result.Outcome, result.Reason.Contains("another order", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(new[] { "a", "a" }, new[] { "a" })]
    [InlineData(new[] { "a", "a", "b" }, new[] { "a", "b", "b" })]
    [InlineData(new[] { "a" }, new[] { "b" })]
    [InlineData(new string[0], new[] { "" })]
    public void Results_that_differ_while_nothing_moves_are_different(string[] source, string[] target) =>
        Assert.Equal(BenchmarkOutcome.Different, Judge(Plain, Series([1], source), Series([1], target)).Outcome);

    [Fact]
    public void Results_that_differ_while_a_side_is_written_are_not_comparable_and_do_not_fail()
    {
        var moved = BenchmarkRules.Judge(Plain, Series([1], "a"), Series([1], "b"), moved: true, DateTimeOffset.UnixEpoch);
        Assert.Equal((BenchmarkOutcome.Passed, "not comparable"), (moved.Outcome, moved.Results));
        var changing = new ReadSeries([1], Digest(["a"]), Digest(["b"]));
        Assert.Equal("not comparable", Judge(Plain, changing, Series([1], "c")).Results);
        Assert.Equal("not comparable", Judge(Plain, Series([1], "c"), changing).Results);
    }

    [Fact]
    public void Numbers_of_another_engine_are_compared_as_numbers()
    {
        Assert.Equal(Digest(["1.00", "x"], acrossEngines: true), Digest(["1", "x"], acrossEngines: true));
        Assert.NotEqual(Digest(["1.00"]), Digest(["1"]));
    }

    [Fact]
    public void Null_is_no_empty_text_and_columns_do_not_run_into_each_other()
    {
        static ResultDigest Row(params string?[] values)
        {
            var digester = new ResultDigester(acrossEngines: false);
            digester.Add(values);
            return digester.ToDigest();
        }

        Assert.NotEqual(Row((string?)null), Row(""));
        Assert.NotEqual(Row("ab", "c"), Row("a", "bc"));
    }

    [Theory]
    [InlineData(0.5, 2)]
    [InlineData(0.95, 4)]
    [InlineData(0, 1)]
    [InlineData(1, 4)]
    public void A_percentile_is_a_value_that_was_measured(double part, double expected) => Assert.Equal(expected, Percentile.Of([3, 1, 4, 2], part));

    private static BenchmarkResult Judge(Benchmark benchmark, ReadSeries source, ReadSeries target) => BenchmarkRules.Judge(benchmark, source, target, moved: false, DateTimeOffset.UnixEpoch);

    private static ReadSeries Series(IReadOnlyList<double> times, params string[] rows) => new(times, Digest(rows), Digest(rows));

    private static ResultDigest Digest(string[] rows, bool acrossEngines = false)
    {
        var digester = new ResultDigester(acrossEngines);
        foreach (var row in rows)
        {
            digester.Add([row]);
        }

        return digester.ToDigest();
    }
}
