using System.Text.Json;
using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Service.Api;
using CdcMigrator.TestKit.Golden;

namespace CdcMigrator.UnitTests.Service;

/// <summary>Results in the form of Great Expectations have its fields, and are met exactly where ours pass.</summary>
public sealed class GreatExpectationsTests
{
    private static readonly DateTimeOffset At = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private static readonly VerifyReport Rows = new(3, "finished", Verdict.Mismatch, At, At.AddMinutes(2),
    [
        Table("public.orders", "crm.orders", Verdict.Equal, 1000, 1000) with { Evidence = "source snapshot 1:2:" },
        Table("public.items", "public.items", Verdict.Mismatch, 400, 399) with { Wrong = 1, Mismatches = [new VerifyMismatch(new Dictionary<string, string> { ["id"] = "7" }, "missing", [])] },
        Table("public.odd", "public.odd", Verdict.Error, 0, 0) with { Reason = "the source does not answer" },
    ]);

    private static readonly VerifyChecksReport Checks = new(
    [
        new CheckReport { Kind = CheckKind.Counts, At = At, Run = 3, Results = [new CheckResult("public.orders", CheckState.Pass, "equal") { Table = "public.orders", Source = "5", Target = "5", Difference = "0", Allowed = "0.1 % on their way, 0 else" }] },
        new CheckReport { Kind = CheckKind.Rules, At = At, Run = 3, Results = [new CheckResult("revenue", CheckState.InFlight, "differs while changes are on their way"), new CheckResult("broken", CheckState.Error, "rule broken, source: 42P01")] },
        new CheckReport { Kind = CheckKind.Schema, At = At, Run = 3, Results = [new CheckResult("public.orders mail type", CheckState.Fail, "text is varchar") { Severity = Severity.Warning, Column = "mail" }] },
        new CheckReport { Kind = CheckKind.Sequences, At = At, Run = 3, Fault = "the target does not answer" },
    ]);

    [Fact]
    public void A_comparison_is_frozen() => GoldenFile.Matches("gx-rows", JsonSerializer.Serialize(GreatExpectationsReport.Of(Rows), GreatExpectationsReport.Options));

    [Fact]
    public void Checks_are_frozen() => GoldenFile.Matches("gx-checks", JsonSerializer.Serialize(GreatExpectationsReport.Of(Checks), GreatExpectationsReport.Options));

    [Fact]
    public void A_suite_is_met_only_where_everything_passes()
    {
        Assert.False(GreatExpectationsReport.Of(Rows).Success);
        Assert.True(GreatExpectationsReport.Of(Rows with { Tables = [Rows.Tables[0]] }).Success);
        Assert.False(GreatExpectationsReport.Of(Rows with { Tables = [] }).Success);
        Assert.Equal((5, 1, 4, 20.0), GreatExpectationsReport.Of(Checks).Statistics is var all
            ? (all.EvaluatedExpectations, all.SuccessfulExpectations, all.UnsuccessfulExpectations, all.SuccessPercent) : default);
    }

    /// <summary>The fields of <c>ExpectationSuiteValidationResultSchema</c> and <c>ExpectationValidationResultSchema</c>, which refuse any other.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_fields_are_those_of_the_published_schema(bool rows)
    {
        var report = JsonSerializer.SerializeToElement(rows ? GreatExpectationsReport.Of(Rows) : GreatExpectationsReport.Of(Checks), GreatExpectationsReport.Options);
        Assert.Empty(Names(report).Except(["success", "suite_name", "results", "suite_parameters", "statistics", "meta", "id"]));
        Assert.Equal(["evaluated_expectations", "success_percent", "successful_expectations", "unsuccessful_expectations"], Names(report.GetProperty("statistics")).Order(StringComparer.Ordinal));
        Assert.Empty(new[] { "great_expectations_version", "run_id", "validation_time" }.Except(Names(report.GetProperty("meta"))));
        Assert.All(report.GetProperty("results").EnumerateArray(), result =>
        {
            Assert.Empty(Names(result).Except(["success", "expectation_config", "result", "meta", "exception_info", "rendered_content"]));
            var config = result.GetProperty("expectation_config");
            Assert.Empty(Names(config).Except(["id", "type", "kwargs", "meta", "notes", "description", "severity"]));
            Assert.StartsWith("expect_", config.GetProperty("type").GetString(), StringComparison.Ordinal);
            Assert.Contains(config.GetProperty("severity").GetString(), new[] { "critical", "warning", "info" });
            Assert.Equal(["exception_message", "exception_traceback", "raised_exception"], Names(result.GetProperty("exception_info")).Order(StringComparer.Ordinal));
        });
    }

    [Fact]
    public void A_rule_that_was_not_asked_since_it_changed_is_not_met()
    {
        var report = new CheckReport { Kind = CheckKind.Rules, At = At, Asked = new Dictionary<string, string> { ["revenue"] = "1" }, Results = [new CheckResult("revenue", CheckState.Pass, "equal")] };
        Assert.True(GreatExpectationsReport.Of(new VerifyChecksReport([report])).Success);
        var now = GreatExpectationsReport.Of(new VerifyChecksReport([report.Against(new Dictionary<string, string> { ["revenue"] = "2", ["added"] = "1" })]));
        Assert.Equal(2, now.Statistics.UnsuccessfulExpectations);
    }

    private static VerifyTable Table(string source, string target, Verdict verdict, long rows, long rowsTarget) =>
        new() { Source = source, Target = target, Verdict = verdict, RowsCompared = rows, RowsTarget = rowsTarget, InFlight = 0, Wrong = 0, Mismatches = [] };

    private static HashSet<string> Names(JsonElement element) => [.. element.EnumerateObject().Select(property => property.Name)];
}
