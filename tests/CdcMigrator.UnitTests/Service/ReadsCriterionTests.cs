using CdcMigrator.Domain.Benchmarking;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Service.Reporting;
using CdcMigrator.Service.Runtime;

namespace CdcMigrator.UnitTests.Service;

/// <summary>The target's speed keeps the gate closed where benchmarks are asked for, and only there.</summary>
public sealed class ReadsCriterionTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly Benchmark Orders = new("orders", "select 1", "select 1");
    private static readonly MigrationDefinition Definition = Scene.Definition with { Benchmarks = [Orders] };

    [Fact]
    public void Without_benchmarks_there_is_no_criterion() => Assert.Empty(ReadsCriterion.Of(Scene.Definition, With(), Now));

    public static TheoryData<string, string, RuntimeStatus> Cases()
    {
        var passed = new BenchmarkResult("orders", Orders.Fingerprint, BenchmarkOutcome.Passed, Now - TimeSpan.FromHours(1)) { Ratio = 1.2, MaxRatio = 2, Runs = 20 };
        return new TheoryData<string, string, RuntimeStatus>
        {
            { "a fresh result", "PASS", With(passed) },
            { "the target does not say", "UNKNOWN", Scene.Running() },
            { "never run", "UNKNOWN", With() },
            { "another benchmark was run", "UNKNOWN", With(passed with { Name = "items" }) },
            { "another query was run under the name", "UNKNOWN", With(passed with { Fingerprint = "0" }) },
            { "it was judged by a laxer limit", "UNKNOWN", With(passed with { MaxRatio = 3 }) },
            { "it was run less often than is asked for", "UNKNOWN", With(passed with { Runs = 19 }) },
            { "a result of yesterday", "FAIL", With(passed with { At = Now - TimeSpan.FromHours(24.1) }) },
            { "slower", "FAIL", With(passed with { Outcome = BenchmarkOutcome.Slower }) },
            { "different", "FAIL", With(passed with { Outcome = BenchmarkOutcome.Different }) },
            { "refused", "FAIL", With(passed with { Outcome = BenchmarkOutcome.Failed, Runs = 0 }) },
            { "skipped", "FAIL", With(passed with { Outcome = BenchmarkOutcome.Skipped, Runs = 0 }) },
        };
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Only_a_fresh_pass_of_the_same_query_passes(string why, string state, RuntimeStatus status)
    {
        var criterion = Assert.Single(Gate.Of(Definition, status, Now).Criteria, criterion => criterion.Name == "reads");
        Assert.True(criterion.State == state, $"{why}: {criterion.State} {criterion.Measured}");
    }

    private static RuntimeStatus With(params BenchmarkResult[] results) => Scene.Running() with { Benchmarks = results };
}
