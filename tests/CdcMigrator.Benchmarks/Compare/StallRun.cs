using System.Globalization;
using Npgsql;

namespace CdcMigrator.Benchmarks.Compare;

/// <summary>Rows of 1 MB against a target that stands still.</summary>
internal sealed class StallRun(Rig rig, Report report)
{
    private static readonly TimeSpan StallTime = TimeSpan.FromSeconds(15);

    /// <summary>Memory under a limit while nothing can be applied, and that everything is applied afterwards.</summary>
    public async Task MeasureAsync(int megabytes)
    {
        const string Prefix = "benchstall";
        var text = new string('x', 1_000_000);
        var topics = new WrittenTopics(rig, Prefix, ["big"]);
        await topics.CreateAsync(partitions: 4);
        topics.Write(megabytes, i => [("id", (long)i), ("v", text)]);
        var connection = await topics.CreateTargetAsync("(id bigint primary key, v text)");
        await using var target = NpgsqlDataSource.Create(connection);
        await using var locker = await target.OpenConnectionAsync();
        var transaction = await locker.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand("lock table big in access exclusive mode", locker))
        {
            await command.ExecuteNonQueryAsync();
        }

        await using var run = CdcmRun.Start(rig, Prefix, "json", ["big"], connection, connector: null, new Dictionary<string, string> { ["DOTNET_GCHeapHardLimit"] = "0x20000000" });
        await Task.Delay(StallTime);
        await run.CheckAsync();
        var stalled = run.ResidentMb;
        await transaction.DisposeAsync();
        await Rig.WaitAsync(async () =>
        {
            await run.CheckAsync();
            return await Rig.ScalarAsync<long>(target, "select count(*) from big") == megabytes;
        });
        report.Add($"{megabytes:N0} rows of 1 MB, the table locked for {StallTime.TotalSeconds:N0} s, managed memory limited to 512 MB",
            string.Create(CultureInfo.InvariantCulture, $"resident {stalled:N0} MB while stalled, {run.PeakMb:N0} MB at the peak; all rows applied afterwards"));
    }
}
