using System.Globalization;
using CdcMigrator.Domain.Benchmarking;
using CdcMigrator.Domain.Migrations;

namespace CdcMigrator.Reconciliation.Benchmarking;

/// <summary>What two series of runs of a query show. Pure.</summary>
public static class BenchmarkRules
{
    /// <summary>Below a millisecond the way to the server and the clock decide, so that a smaller difference is none.</summary>
    public const double LeastDifference = 1;

    private const string Equal = "equal";
    private const string Different = "different";
    private const string NotComparable = "not comparable";

    /// <summary>The verdict.</summary>
    /// <param name="benchmark">What was run.</param>
    /// <param name="source">On the source.</param>
    /// <param name="target">On the target.</param>
    /// <param name="moved">A side was written meanwhile, or that is not known.</param>
    /// <param name="at">When it ended.</param>
    public static BenchmarkResult Judge(Benchmark benchmark, ReadSeries source, ReadSeries target, bool moved, DateTimeOffset at)
    {
        ArgumentNullException.ThrowIfNull(benchmark);
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(target);
        var (sourceP50, sourceP95) = (Percentile.Of(source.Milliseconds, 0.5), Percentile.Of(source.Milliseconds, 0.95));
        var (targetP50, targetP95) = (Percentile.Of(target.Milliseconds, 0.5), Percentile.Of(target.Milliseconds, 0.95));
        var (results, why) = Results(benchmark, source, target, moved);
        var slower = IsSlower(sourceP50, targetP50, benchmark.MaxRatio) || IsSlower(sourceP95, targetP95, benchmark.MaxRatio);
        var ratio = Math.Max(Ratio(sourceP50, targetP50), Ratio(sourceP95, targetP95));
        var outcome = results == Different ? BenchmarkOutcome.Different : slower ? BenchmarkOutcome.Slower : BenchmarkOutcome.Passed;
        return new BenchmarkResult(benchmark.Name, benchmark.Fingerprint, outcome, at)
        {
            Results = results,
            Reason = outcome == BenchmarkOutcome.Slower
                ? string.Create(CultureInfo.InvariantCulture, $"the target takes {ratio:0.##} times as long as the source; {benchmark.MaxRatio:0.##} are allowed{(why.Length == 0 ? "" : $"; {why}")}")
                : why,
            Rows = source.Last.Rows,
            Runs = source.Milliseconds.Count,
            SourceP50 = Math.Round(sourceP50, 3),
            SourceP95 = Math.Round(sourceP95, 3),
            TargetP50 = Math.Round(targetP50, 3),
            TargetP95 = Math.Round(targetP95, 3),
            Ratio = Math.Round(ratio, 2),
            MaxRatio = benchmark.MaxRatio,
        };
    }

    /// <summary>Whether the results differ as far as is known, so that it is worth finding out whether a side was written.</summary>
    public static bool Differ(Benchmark benchmark, ReadSeries source, ReadSeries target) => Results(benchmark, source, target, moved: false).Results == Different;

    private static (string Results, string Why) Results(Benchmark benchmark, ReadSeries source, ReadSeries target, bool moved)
    {
        var isOrdered = QueryText.Read(benchmark.Source).IsOrdered && QueryText.Read(benchmark.Target).IsOrdered;
        if (IsEqual(source.Last, target.Last, isOrdered))
        {
            return (Equal, "");
        }

        if (moved || !IsEqual(source.First, source.Last, isOrdered: false) || !IsEqual(target.First, target.Last, isOrdered: false))
        {
            return (NotComparable, "results differ while tables are written");
        }

        return (Different, IsEqual(source.Last, target.Last, isOrdered: false)
            ? "the rows are the same in another order: another collation, or ORDER BY does not decide between equal rows"
            : string.Create(CultureInfo.InvariantCulture, $"the results differ ({source.Last.Rows:N0} and {target.Last.Rows:N0} rows) while nothing is written"));
    }

    private static bool IsEqual(ResultDigest one, ResultDigest other, bool isOrdered) =>
        one.Rows == other.Rows && one.Content == other.Content && (!isOrdered || one.Order == other.Order);

    private static bool IsSlower(double source, double target, decimal ratio) => target > source * (double)ratio && target - source > LeastDifference;

    private static double Ratio(double source, double target) => target / Math.Max(source, 0.001);
}
