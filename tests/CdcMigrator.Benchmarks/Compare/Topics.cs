using System.Diagnostics;
using CdcMigrator.Domain.Log;
using CdcMigrator.Streaming.Inspection;

namespace CdcMigrator.Benchmarks.Compare;

/// <summary>Fills the topics once: Debezium captures what is done to the source, in each format, before anybody reads.</summary>
internal sealed class Topics(Rig rig, IReadOnlyList<Workload> workloads)
{
    public static readonly string[] Formats = ["json", "avro"];

    public static string Prefix(string format) => $"bench{format}";

    /// <summary>Events per second that Debezium published, over both formats.</summary>
    public async Task<double> FillAsync()
    {
        foreach (var format in Formats)
        {
            await rig.PutAsync(Prefix(format), rig.SourceConnector(Prefix(format), format, workloads.Select(workload => workload.Table)));
            await Rig.WaitAsync(async () => await Rig.ScalarAsync<long>(rig.Source, $"select count(*) from pg_replication_slots where slot_name = 'cdcm_{Prefix(format)}' and active") == 1);
        }

        var begun = Stopwatch.GetTimestamp();
        foreach (var workload in workloads)
        {
            await rig.ExecuteAsync($"set synchronous_commit = off; {workload.Changes}");
            await rig.ExecuteAsync(workload.End);
        }

        var wanted = workloads.Sum(workload => workload.Events);
        using var inspector = new LogInspector(rig.Kit.BootstrapServers);
        foreach (var format in Formats)
        {
            var topics = workloads.Select(workload => $"{Prefix(format)}.public.{workload.Table}").ToList();
            await Rig.WaitAsync(async () => await IsFilledAsync(inspector, topics));
        }

        var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        foreach (var format in Formats)
        {
            await rig.StopAsync(Prefix(format));
        }

        return wanted * Formats.Length / seconds;
    }

    private async Task<bool> IsFilledAsync(LogInspector inspector, List<string> topics)
    {
        IReadOnlyDictionary<LaneId, LogRange> ranges;
        try
        {
            ranges = await inspector.ReadTopicRangesAsync(topics, CancellationToken.None);
        }
        catch (Domain.Faults.FaultException)
        {
            return false; // not created yet
        }

        // A deleted row is two records: the delete and its tombstone.
        return workloads.All(workload => ranges.Where(range => range.Key.Topic.EndsWith($".{workload.Table}", StringComparison.Ordinal)).Sum(range => range.Value.End)
            >= workload.Events + workload.Tombstones + Workload.EndRows);
    }
}
