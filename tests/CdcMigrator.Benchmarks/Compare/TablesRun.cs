using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace CdcMigrator.Benchmarks.Compare;

/// <summary>
/// The same number of records in few tables and in many: a record's cost must not grow with the number of tables. What a lane costs to start is told
/// apart from what its records cost: a part of the rows is there at the start, the others are written while the process is stopped, and then it goes on.
/// </summary>
internal sealed class TablesRun(Rig rig, Report report)
{
    private static readonly int[] Tables = [1, 50, 250, 500];

    public async Task MeasureAsync(int rows)
    {
        foreach (var tables in Tables.Where(tables => tables * 4 <= rows))
        {
            await MeasureAsync(tables, rows / tables * tables);
        }
    }

    private async Task MeasureAsync(int tables, int rows)
    {
        var names = Enumerable.Range(0, tables).Select(i => $"t{i}").ToList();
        var prefix = $"bench{tables}tables";
        var topics = new WrittenTopics(rig, prefix, names);
        (string, object?)[] Row(int i) => [("id", (long)i), ("v", $"row {i}"), ("n", i % 7)];
        await topics.CreateAsync(partitions: tables == 1 ? 4 : 1);
        var first = Math.Max(64, rows / 4);
        topics.Write(first, Row);
        var connection = await topics.CreateTargetAsync("(id bigint primary key, v text, n int)");
        await using var target = NpgsqlDataSource.Create(connection);
        await using var run = CdcmRun.Start(rig, prefix, "json", names, connection, connector: null);
        await Progress.WaitAsync(target, first, run.CheckAsync);
        var start = ProcessorTime.Of(run.ProcessId);

        await run.SignalAsync("STOP");
        topics.Write(rows - first, Row);
        await run.SignalAsync("CONT");
        var begun = Stopwatch.GetTimestamp();
        var (own, server) = (ProcessorTime.Of(run.ProcessId), ProcessorTime.OfChildren(rig.TargetServer.ProcessId ?? 0));
        await Progress.WaitAsync(target, rows, run.CheckAsync);
        var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        own = ProcessorTime.Of(run.ProcessId) - own;
        server = ProcessorTime.OfChildren(rig.TargetServer.ProcessId ?? 0) - server;

        var count = 0L;
        foreach (var name in names)
        {
            count += await Rig.ScalarAsync<long>(target, $"select count(*) from {name}");
        }

        var measured = string.Create(CultureInfo.InvariantCulture,
            $"{(rows - first) / seconds:N0} records/s at {own.TotalMicroseconds / (rows - first):N1} + {server.TotalMicroseconds / (rows - first):N1} µs a record; its start and the first {first:N0} before that {start.TotalSeconds:N1} s; peak resident memory {run.PeakMb:N0} MB");
        var what = $"{rows:N0} inserted rows in {tables} table{(tables == 1 ? " of 4 partitions" : "s of 1 partition")}";
        if (count == rows)
        {
            report.Add(what, measured + "; rows equal");
        }
        else
        {
            report.Fail(what, $"{measured}; BUT {count} ROWS");
        }
    }
}
