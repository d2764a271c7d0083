using CdcMigrator.TestKit.Kit;
using Npgsql;

namespace CdcMigrator.Benchmarks.Compare;

/// <summary>One run of everything, in one order: fill the topics, then each contestant on each workload, then latency, memory and scale.</summary>
internal static class Comparison
{
    public static async Task<int> RunAsync(CompareOptions options)
    {
        await using var kit = new KitFixture();
        if (kit.Command is null)
        {
            Console.Error.WriteLine("error: the kit with Kafka, Connect, Debezium and its JDBC sink is not there\nfix: put it at ../shared/kit beside this checkout, or set CDCM_KIT to its folder");
            return 4;
        }

        var report = new Report(options);
        report.Say("starting the kit and two PostgreSQL servers");
        await kit.InitializeAsync();
        await using var rig = new Rig(kit);
        var all = Workload.All(options.Rows);
        await rig.StartAsync(all);
        var workloads = all.Where(workload => options.Has(workload.Name) || options.Has("backlog")).ToList();
        if (workloads.Count > 0)
        {
            report.Say($"filling the topics: {workloads.Sum(workload => workload.Events):N0} events in each of {Topics.Formats.Length} formats");
            report.Filled = await new Topics(rig, workloads).FillAsync();
            report.Say($"Debezium published {report.Filled:N0} events/s");
        }

        foreach (var workload in workloads.Where(workload => options.Has(workload.Name)))
        {
            if (workload.HasLimit)
            {
                report.Add(await CopyLimit.MeasureAsync(rig, workload));
            }

            foreach (var format in Topics.Formats)
            {
                report.Add([await CdcmRun.MeasureAsync(rig, workload, format)]);
            }

            foreach (var (tasks, batch) in JdbcSinkRun.Settings.Take(options.SinkSettings))
            {
                report.Add([await JdbcSinkRun.MeasureAsync(rig, workload, tasks, batch)]);
            }
        }

        if (options.Has("backlog"))
        {
            await BacklogRun.MeasureAsync(rig, workloads, report);
        }

        if (options.Has("latency"))
        {
            await LatencyRun.MeasureAsync(rig, options.LatencyTime, report);
        }

        if (options.Has("tables"))
        {
            await new TablesRun(rig, report).MeasureAsync(options.Rows / 2);
        }

        if (options.Has("stall"))
        {
            await new StallRun(rig, report).MeasureAsync(Math.Clamp(options.Rows / 500, 20, 600));
        }

        await report.WriteAsync(rig);
        if (options.Hold)
        {
            await HoldAsync(rig, all, report);
        }

        return report.Failed ? 3 : 0;
    }

    /// <summary>For work on the apply path: the same topics again with the program as it is built now.</summary>
    private static async Task HoldAsync(Rig rig, IReadOnlyList<Workload> workloads, Report report)
    {
        report.Say("holding: 'cdcm WORKLOAD FORMAT [ANOTHER BUILD]', 'limit WORKLOAD', 'sink WORKLOAD', 'quit'");
        while (await Console.In.ReadLineAsync() is { } line && line != "quit")
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var workload = words.Length > 1 ? workloads.FirstOrDefault(workload => workload.Name == words[1]) : null;
            try
            {
                await CommandAsync(words);
            }
            catch (Exception e) when (e is InvalidOperationException or NpgsqlException or IOException)
            {
                report.Say(e.Message);
            }

            async Task CommandAsync(string[] words)
            {
                switch (words)
                {
                    case ["cdcm", _, var format, .. var program] when workload is not null:
                        report.Add([await CdcmRun.MeasureAsync(rig, workload, format, program.FirstOrDefault())]);
                        break;
                    case ["limit", _] when workload is not null:
                        report.Add(await CopyLimit.MeasureAsync(rig, workload));
                        break;
                    case ["sink", _] when workload is not null:
                        report.Add([await JdbcSinkRun.MeasureAsync(rig, workload, 4, 5000)]);
                        break;
                }
            }
        }
    }
}
