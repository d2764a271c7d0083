using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace CdcMigrator.Benchmarks.Compare;

/// <summary>
/// Commit in the source to commit in the target through Debezium, at 500 single-row transactions a second. Both servers note the time of each commit
/// by the same machine's clock, so that nothing is polled.
/// </summary>
internal static class LatencyRun
{
    public const string Schema = "create table live (id bigint primary key, at timestamptz not null)";
    private const string Prefix = "benchlive";
    private const int Writers = 4;
    private const int PerSecond = 500;
    private const string Times = "select id, extract(epoch from pg_xact_commit_timestamp(xmin))::double precision * 1000 from live where id > 0";

    public static async Task MeasureAsync(Rig rig, TimeSpan duration, Report report)
    {
        var connection = await rig.CreateTargetAsync();
        await using var target = NpgsqlDataSource.Create(connection);
        await rig.PutAsync(Prefix, rig.SourceConnector(Prefix, "json", ["live"]));
        await Rig.WaitAsync(async () => await Rig.ScalarAsync<long>(rig.Source, $"select count(*) from pg_replication_slots where slot_name = 'cdcm_{Prefix}' and active") == 1);
        await using var run = CdcmRun.Start(rig, Prefix, "json", ["live"], connection, Prefix);

        // Until rows come through in all partitions: topics are made with their first record, and found a few seconds later.
        await rig.ExecuteAsync("insert into live select -i, now() from generate_series(1, 64) i");
        await Rig.WaitAsync(async () =>
        {
            await run.CheckAsync();
            return await Rig.ScalarAsync<long>(target, "select count(*) from live") == 64;
        });
        var written = 0;
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(async writer =>
        {
            await using var session = await rig.Source.OpenConnectionAsync();
            var begun = Stopwatch.GetTimestamp();
            for (var n = 0; Stopwatch.GetElapsedTime(begun) < duration; n++)
            {
                await using var insert = new NpgsqlCommand("insert into live values ($1, now())", session) { Parameters = { new() { Value = (n * (long)Writers) + writer + 1 } } };
                await insert.ExecuteNonQueryAsync();
                Interlocked.Increment(ref written);
                var ahead = TimeSpan.FromSeconds((n + 1.0) * Writers / PerSecond) - Stopwatch.GetElapsedTime(begun);
                await Task.Delay(ahead > TimeSpan.Zero ? ahead : TimeSpan.Zero);
            }
        }));
        await Rig.WaitAsync(async () => await Rig.ScalarAsync<long>(target, "select count(*) from live where id > 0") == written);
        var committed = await ReadAsync(rig.Source);
        var visible = await ReadAsync(target);
        var latencies = visible.Select(row => row.Value - committed[row.Key]).Order().ToList();
        report.Add($"commit in the source to commit in the target through Debezium, {written / duration.TotalSeconds:N0} transactions/s",
            string.Create(CultureInfo.InvariantCulture, $"p50 {At(0.50):N0} ms, p99 {At(0.99):N0} ms, most {latencies[^1]:N0} ms; {written:N0} transactions"));
        await rig.StopAsync(Prefix);

        double At(double part) => latencies[(int)(part * (latencies.Count - 1))];
    }

    private static async Task<Dictionary<long, double>> ReadAsync(NpgsqlDataSource database)
    {
        var times = new Dictionary<long, double>();
        await using var command = database.CreateCommand(Times);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            times[reader.GetInt64(0)] = reader.GetDouble(1);
        }

        return times;
    }
}
