using System.Diagnostics;
using Npgsql;

namespace CdcMigrator.Benchmarks.Compare;

/// <summary>
/// The same stop watch for everybody: from the first look at the target that shows an event applied to the first that shows all end marks. What that
/// first look shows is not counted, so that nobody gains by a large first transaction.
/// </summary>
internal static class Stretch
{
    private static readonly TimeSpan FirstLook = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LastLook = TimeSpan.FromMilliseconds(20);

    /// <summary>Row events a second, and the processor time they took.</summary>
    /// <param name="result">Whose run it is; comes back with the numbers.</param>
    /// <param name="rig">Where it runs.</param>
    /// <param name="target">The contestant's target.</param>
    /// <param name="workload">What it applies.</param>
    /// <param name="check">Throws where the contestant has failed.</param>
    /// <param name="processId">The contestant's process; 0 where it has none of its own.</param>
    public static async Task<Result> MeasureAsync(Result result, Rig rig, NpgsqlDataSource target, Workload workload, Func<Task> check, int processId = 0)
    {
        var started = Stopwatch.GetTimestamp();
        long seen;
        long begun;
        do
        {
            await check();
            await Task.Delay(FirstLook);
            begun = Stopwatch.GetTimestamp();
            seen = await Rig.ScalarAsync<long>(target, workload.Visible);
        }
        while (seen == 0);

        var own = ProcessorTime.Of(processId);
        var server = ProcessorTime.OfChildren(rig.TargetServer.ProcessId ?? 0);
        for (var n = 0; await Rig.ScalarAsync<long>(target, workload.Ended) < Workload.EndRows; n++)
        {
            await Task.Delay(LastLook);
            if (n % 50 == 0)
            {
                await check();
            }
        }

        var events = Math.Max(1, workload.Events - seen);
        return result with
        {
            RowsPerSecond = events / Stopwatch.GetElapsedTime(begun).TotalSeconds,
            FromStartPerSecond = workload.Events / Stopwatch.GetElapsedTime(started).TotalSeconds,
            OwnMicros = (ProcessorTime.Of(processId) - own).TotalMicroseconds / events,
            ServerMicros = (ProcessorTime.OfChildren(rig.TargetServer.ProcessId ?? 0) - server).TotalMicroseconds / events,
            Equal = await AreEqualAsync(rig.Source, target, workload.Table),
        };
    }

    /// <summary>Whether both sides hold the same rows.</summary>
    public static async Task<bool> AreEqualAsync(NpgsqlDataSource source, NpgsqlDataSource target, string table)
    {
        var digest = $"select count(*) || ':' || coalesce(sum(hashtextextended(t::text, 7)::numeric), 0) from {table} t";
        return await Rig.ScalarAsync<string>(source, digest) == await Rig.ScalarAsync<string>(target, digest);
    }
}
