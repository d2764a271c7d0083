using System.Globalization;
using CdcMigrator.Domain.Benchmarking;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Configuration;
using CdcMigrator.Service.Runtime;

namespace CdcMigrator.Service.Reporting;

/// <summary>Whether the target is fast enough for the application, by the benchmarks of the migration file; no criterion where it has none. Pure. What is old, or was asked otherwise, never passes.</summary>
internal static class ReadsCriterion
{
    private const string Name = "reads";
    private const string Fix = "'cdcm benchmark -f FILE' runs them, and says which is slower and by how much";

    public static IEnumerable<GateCriterion> Of(MigrationDefinition definition, RuntimeStatus now, DateTimeOffset at)
    {
        if (definition.Benchmarks.Count == 0)
        {
            yield break;
        }

        var allowed = $"every benchmark passed within {Durations.Format(definition.Cutover.VerifiedWithin)}";
        if (now.Benchmarks is not { } known)
        {
            yield return new GateCriterion(Name, "UNKNOWN", "not known", allowed, Fix);
            yield break;
        }

        var results = definition.Benchmarks.Select(benchmark => (benchmark.Name, Result: known.FirstOrDefault(result => result.Name == benchmark.Name && Fits(result, benchmark)))).ToList();
        var broken = results.Where(entry => entry.Result is { Outcome: not BenchmarkOutcome.Passed }).ToList();
        var missing = results.Where(entry => entry.Result is null).Select(entry => entry.Name).ToList();
        var old = results.Where(entry => entry.Result is { } result && at - result.At > definition.Cutover.VerifiedWithin).Select(entry => entry.Name).ToList();
        var criterion = broken.Count > 0 ? new GateCriterion(Name, "FAIL", string.Join(", ", broken.Select(entry => $"{entry.Name} {entry.Result!.Outcome}: {entry.Result.Reason}")), allowed, Fix)
            : missing.Count > 0 ? new GateCriterion(Name, "UNKNOWN", $"not run, or not since it changed: {string.Join(", ", missing)}", allowed, Fix)
            : old.Count > 0 ? new GateCriterion(Name, "FAIL", $"too old: {string.Join(", ", old)}", allowed, Fix)
            : new GateCriterion(Name, "PASS", string.Create(CultureInfo.InvariantCulture, $"at most {results.Max(entry => entry.Result!.Ratio):0.##} times the source's time"), allowed);

        // Results that differ are no matter of speed: rows are.
        yield return criterion.State == "PASS" || broken.Any(entry => entry.Result!.Outcome == BenchmarkOutcome.Different) ? criterion
            : criterion with { Finding = WaiverRules.Finding(definition.Benchmarks.Zip(results, (benchmark, entry) => Found(benchmark, entry.Result, definition.Cutover.VerifiedWithin, at))) };
    }

    /// <summary>A result of another time says the same as long as it is as fast; one that is too old is a finding of its own.</summary>
    private static string Found(Benchmark benchmark, BenchmarkResult? result, TimeSpan within, DateTimeOffset at) => result is null ? $"{benchmark.Name} {benchmark.Fingerprint} not run"
        : string.Create(CultureInfo.InvariantCulture, $"{benchmark.Name} {benchmark.Fingerprint} {result.Outcome} {result.Ratio:0.0} {(at - result.At > within ? $"of {result.At:u}" : "")}");

    /// <summary>A result of the same queries, and no laxer than the file is now.</summary>
    private static bool Fits(BenchmarkResult result, Benchmark benchmark) => result.Fingerprint == benchmark.Fingerprint && result.MaxRatio <= benchmark.MaxRatio && (result.Runs >= benchmark.Runs || result.Outcome != BenchmarkOutcome.Passed);
}
