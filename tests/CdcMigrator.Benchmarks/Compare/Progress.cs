using System.Diagnostics;
using Npgsql;

namespace CdcMigrator.Benchmarks.Compare;

/// <summary>Records a second by the progress that cdcm commits with the rows, over all of its lanes.</summary>
internal static class Progress
{
    private const string Sum = "select coalesce(sum(next_offset), 0)::bigint from cdc_migrator.progress where topic not like '%.cdc_migrator.%'";

    /// <summary>Rates over the whole and over each half. What the first look at progress shows is not counted.</summary>
    public static async Task<(double Rate, double First, double Second)> MeasureAsync(NpgsqlDataSource target, long total, Func<Task> check)
    {
        var (seen, begun) = (0L, 0L);
        var (half, halfAt) = (0L, 0L);
        for (long now = 0; now < total;)
        {
            await Task.Delay(20);
            await check();
            var at = Stopwatch.GetTimestamp();
            now = await ReadAsync(target);
            (seen, begun) = seen == 0 && now > 0 ? (now, at) : (seen, begun);
            (half, halfAt) = half == 0 && now >= total / 2 ? (now, at) : (half, halfAt);
        }

        var whole = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        var first = Stopwatch.GetElapsedTime(begun, halfAt).TotalSeconds;
        return ((total - seen) / whole, first > 0 ? (half - seen) / first : 0, (total - half) / Math.Max(0.001, whole - first));
    }

    /// <summary>Waits until this many records are applied.</summary>
    public static async Task WaitAsync(NpgsqlDataSource target, long total, Func<Task> check)
    {
        while (await ReadAsync(target) < total)
        {
            await Task.Delay(20);
            await check();
        }
    }

    private static async Task<long> ReadAsync(NpgsqlDataSource target)
    {
        try
        {
            return await Rig.ScalarAsync<long>(target, Sum);
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName)
        {
            return 0; // it has not begun
        }
    }
}
