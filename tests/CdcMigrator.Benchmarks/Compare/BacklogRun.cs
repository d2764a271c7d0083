using System.Globalization;
using Npgsql;

namespace CdcMigrator.Benchmarks.Compare;

/// <summary>All topics at once from their beginnings: what a process that was away has before it. Memory, and whether the second half is as fast as the first.</summary>
internal static class BacklogRun
{
    public static async Task MeasureAsync(Rig rig, IReadOnlyList<Workload> workloads, Report report)
    {
        var connection = await rig.CreateTargetAsync();
        await using var target = NpgsqlDataSource.Create(connection);
        await using var run = CdcmRun.Start(rig, Topics.Prefix("json"), "json", workloads.Select(workload => workload.Table), connection, Topics.Prefix("json"));
        var total = workloads.Sum(workload => workload.Events + workload.Tombstones + Workload.EndRows);
        var (rate, first, second) = await Progress.MeasureAsync(target, total, run.CheckAsync);
        var equal = true;
        foreach (var workload in workloads)
        {
            equal &= await Stretch.AreEqualAsync(rig.Source, target, workload.Table);
        }

        var measured = string.Create(CultureInfo.InvariantCulture,
            $"{rate:N0} records/s (first half {first:N0}, second half {second:N0}), peak resident memory {run.PeakMb:N0} MB, rows {(equal ? "equal" : "DIFFER")}");
        var what = $"a backlog of {total:N0} records in {workloads.Count} tables, JSON";
        if (equal)
        {
            report.Add(what, measured);
        }
        else
        {
            report.Fail(what, measured);
        }
    }
}
