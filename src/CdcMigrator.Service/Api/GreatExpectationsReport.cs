using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Comparing;

namespace CdcMigrator.Service.Api;

/// <summary>
/// A comparison, or the checks beside it, as a validation result of Great Expectations (structure of its version 1), for what stores and shows such: an expectation a
/// table, or a thing that was checked. The expectations are our own; their names say so to nobody else.
/// </summary>
public sealed record GreatExpectationsReport
{
    private const string StructureVersion = "1.0.0";

    /// <summary>How it is written: names with underscores.</summary>
    public static JsonSerializerOptions Options { get; } = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Every expectation was met.</summary>
    public required bool Success { get; init; }

    /// <summary>What is validated against.</summary>
    public required string SuiteName { get; init; }

    /// <summary>One an expectation.</summary>
    public required IReadOnlyList<GreatExpectationsResult> Results { get; init; }

    /// <summary>None.</summary>
    public IReadOnlyDictionary<string, object?> SuiteParameters { get; init; } = new Dictionary<string, object?>();

    /// <summary>How many were met.</summary>
    public required GreatExpectationsStatistics Statistics { get; init; }

    /// <summary>Where it comes from.</summary>
    public required IReadOnlyDictionary<string, object?> Meta { get; init; }

    /// <summary>None: it is kept under <see cref="Meta"/>'s run.</summary>
    public string? Id { get; init; }

    /// <summary>A comparison of rows: an expectation a table. One that is not over, was not equal, or is not known is not met.</summary>
    public static GreatExpectationsReport Of(VerifyReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        return Of("cdcm.rows", report.RunId.ToString(CultureInfo.InvariantCulture), report.RequestedAt, report.FinishedAt, report.Tables.Select(Of));
    }

    /// <summary>The checks beside the rows: an expectation a thing that was checked. What is undecided is not met; a kind that could not be checked is one that raised an exception.</summary>
    public static GreatExpectationsReport Of(VerifyChecksReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        var at = report.Checks.Count == 0 ? DateTimeOffset.UnixEpoch : report.Checks.Max(check => check.At);
        var run = report.Checks.Count == 0 ? 0 : report.Checks.Max(check => check.Run);
        return Of("cdcm.checks", run.ToString(CultureInfo.InvariantCulture), at, at, report.Checks.SelectMany(Of));
    }

    private static GreatExpectationsReport Of(string suite, string run, DateTimeOffset began, DateTimeOffset? ended, IEnumerable<GreatExpectationsResult> all)
    {
        var results = all.ToList();
        var met = results.Count(result => result.Success);
        return new GreatExpectationsReport
        {
            Success = met == results.Count && results.Count > 0,
            SuiteName = suite,
            Results = results,
            Statistics = new GreatExpectationsStatistics(results.Count, met, results.Count - met, results.Count == 0 ? null : Math.Round(100.0 * met / results.Count, 4)),
            Meta = new Dictionary<string, object?>
            {
                ["great_expectations_version"] = StructureVersion,
                ["produced_by"] = "cdcm",
                ["run_id"] = new Dictionary<string, object?> { ["run_name"] = run, ["run_time"] = began.ToString("O", CultureInfo.InvariantCulture) },
                ["validation_time"] = ended?.ToString("O", CultureInfo.InvariantCulture),
            },
        };
    }

    private static GreatExpectationsResult Of(VerifyTable table) => new(
        table.Verdict == Verdict.Equal,
        new GreatExpectationsConfiguration("expect_rows_to_equal_source", new Dictionary<string, object?> { ["source_table"] = table.Source, ["target_table"] = table.Target }, "critical"),
        new Dictionary<string, object?>
        {
            ["observed_value"] = table.Verdict?.ToString() ?? "Running",
            ["element_count"] = table.RowsCompared,
            ["unexpected_count"] = table.Wrong,
            ["unexpected_percent"] = table.RowsCompared == 0 ? null : Math.Round(100.0 * table.Wrong / table.RowsCompared, 6),
            ["partial_unexpected_list"] = table.Mismatches.Select(row => new Dictionary<string, object?> { ["key"] = row.Key, ["kind"] = row.Kind, ["columns"] = row.Columns }).ToList(),
            ["details"] = new Dictionary<string, object?> { ["rows_target"] = table.RowsTarget, ["in_flight"] = table.InFlight, ["reason"] = table.Reason, ["evidence"] = table.Evidence },
        },
        GreatExpectationsException.Of(table.Verdict == Verdict.Error ? table.Reason ?? "not known" : null));

    private static IEnumerable<GreatExpectationsResult> Of(CheckReport report)
    {
        var kind = JsonNamingPolicy.SnakeCaseLower.ConvertName(report.Kind.ToString());
        return report.Fault is { } fault
            ? [new GreatExpectationsResult(false, new GreatExpectationsConfiguration($"expect_{kind}", new Dictionary<string, object?>(), "critical"), new Dictionary<string, object?>(), GreatExpectationsException.Of(fault))]
            : report.Answers.Concat(report.Changed.Select(name => new CheckResult(name, CheckState.InFlight, "not asked since it changed"))).Select(result => new GreatExpectationsResult(
                result.State == CheckState.Pass,
                new GreatExpectationsConfiguration(
                    $"expect_{kind}", new Dictionary<string, object?> { ["name"] = result.Name, ["table"] = result.Table, ["column"] = result.Column },
                    result.Severity switch { Domain.Preflight.Severity.Error => "critical", Domain.Preflight.Severity.Warning => "warning", _ => "info" }),
                new Dictionary<string, object?>
                {
                    ["observed_value"] = result.Target ?? result.State.ToString(),
                    ["details"] = new Dictionary<string, object?>
                    {
                        ["state"] = result.State.ToString(),
                        ["source"] = result.Source,
                        ["target"] = result.Target,
                        ["difference"] = result.Difference,
                        ["allowed"] = result.Allowed,
                        ["message"] = result.Message,
                        ["sampled"] = result.IsSampled,
                        ["evidence"] = result.Evidence,
                    },
                },
                GreatExpectationsException.Of(result.State == CheckState.Error ? result.Message : null)));
    }
}
