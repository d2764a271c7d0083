using CdcMigrator.Domain.Benchmarking;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;

namespace CdcMigrator.Reconciliation.Benchmarking;

/// <summary>Runs a query on both sides in turns and says what that shows. Nothing is written.</summary>
/// <param name="source">The source.</param>
/// <param name="target">The target.</param>
/// <param name="acrossEngines">The source is of another engine than the target.</param>
/// <param name="time">The clock.</param>
/// <param name="pause">Pause before results that differ are looked at again: a target that is a little behind has caught up then, and counters of writes are current.</param>
public sealed class BenchmarkRun(IReadSide source, IReadSide target, bool acrossEngines, TimeProvider time, TimeSpan pause)
{
    private const int LooksAgain = 3;

    /// <summary>Runs it. What a side refuses is in the result.</summary>
    /// <exception cref="FaultException">A side does not answer.</exception>
    public async Task<BenchmarkResult> RunAsync(Benchmark benchmark, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(benchmark);
        if ((Refuse(benchmark.Source) ?? Refuse(benchmark.Target)) is { } refused)
        {
            return new BenchmarkResult(benchmark.Name, benchmark.Fingerprint, BenchmarkOutcome.Skipped, time.GetUtcNow()) { Reason = refused, MaxRatio = benchmark.MaxRatio };
        }

        try
        {
            var (sourcePlace, targetPlace) = (await source.ReadPlaceAsync(benchmark.Source, cancellationToken), await target.ReadPlaceAsync(benchmark.Target, cancellationToken));
            var (sourceTimes, targetTimes) = (new List<double>(), new List<double>());
            var (sourceFirst, targetFirst) = (await DigestAsync(source, benchmark.Source, cancellationToken), await DigestAsync(target, benchmark.Target, cancellationToken));
            for (var run = 0; run < benchmark.Runs; run++)
            {
                // In turns, and in turns of who is first: what else the machine does then falls on both alike.
                foreach (var isSource in run % 2 == 0 ? [true, false] : (bool[])[false, true])
                {
                    (isSource ? sourceTimes : targetTimes).Add(await (isSource ? source.RunAsync(benchmark.Source, null, cancellationToken) : target.RunAsync(benchmark.Target, null, cancellationToken)));
                }
            }

            var onSource = new ReadSeries(sourceTimes, sourceFirst, await DigestAsync(source, benchmark.Source, cancellationToken));
            var onTarget = new ReadSeries(targetTimes, targetFirst, await DigestAsync(target, benchmark.Target, cancellationToken));
            var moved = false;
            for (var look = 0; look < LooksAgain && !moved && BenchmarkRules.Differ(benchmark, onSource, onTarget); look++)
            {
                await Task.Delay(pause, time, cancellationToken);
                onSource = onSource with { First = onSource.Last, Last = await DigestAsync(source, benchmark.Source, cancellationToken) };
                onTarget = onTarget with { First = onTarget.Last, Last = await DigestAsync(target, benchmark.Target, cancellationToken) };
                moved = sourcePlace != await source.ReadPlaceAsync(benchmark.Source, cancellationToken) || targetPlace != await target.ReadPlaceAsync(benchmark.Target, cancellationToken);
            }

            return BenchmarkRules.Judge(benchmark, onSource, onTarget, moved, time.GetUtcNow());
        }
        catch (FaultException fault) when (fault.Fault.Code is "query" or "query-time")
        {
            return new BenchmarkResult(benchmark.Name, benchmark.Fingerprint, BenchmarkOutcome.Failed, time.GetUtcNow()) { Reason = fault.Fault.Message, MaxRatio = benchmark.MaxRatio };
        }
    }

    /// <summary>Why a text cannot be run as it stands; null where it can.</summary>
    public static string? Refuse(string sql)
    {
        var text = QueryText.Read(sql);
        return !text.IsQuery ? "it is no SELECT"
            : text.IsSeveral ? "it is more than one statement"
            : text.HasParameters ? "it has parameters without values: write it with values under 'benchmarks:' of the migration file"
            : null;
    }

    private async Task<ResultDigest> DigestAsync(IReadSide side, string sql, CancellationToken cancellationToken)
    {
        var digester = new ResultDigester(acrossEngines);
        await side.RunAsync(sql, digester, cancellationToken);
        return digester.ToDigest();
    }
}
