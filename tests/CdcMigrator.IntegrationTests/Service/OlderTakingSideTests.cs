using System.Net;
using System.Net.Sockets;
using CdcMigrator.TestKit.Databases;
using CdcMigrator.TestKit.Processes;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Service;

/// <summary>A whole service whose target comes back, between seal and opening, as a standby that lagged: without the last rows, the progress that goes with them and the marker behind them.</summary>
public sealed class OlderTakingSideTests(PostgresFixture postgres) : IDisposable
{
    private const string Table = "create table t(id int primary key, v text);";
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("cdcm-older-side");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public async Task It_is_opened_once_the_lanes_have_applied_again_what_it_lost()
    {
        await using var source = await postgres.CreateSourceAsync(Table + "insert into t select n, 'first' from generate_series(1, 20) n");
        await using var target = await postgres.CreateTargetAsync(Table);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var address = $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";
        listener.Stop();
        var file = Path.Combine(folder.FullName, "migration.yaml");
        await File.WriteAllTextAsync(file, $$"""
            migration: older
            source:  { kind: postgresql, connection: "{{source.ConnectionString}}" }
            target:  { connection: "{{target.ConnectionString}}" }
            log: embedded
            tables:  [ { source: public.t } ]
            cutover: { lease: 30s, budget: 5m, maxLag: 5m, deadlines: { fencing: 1m, draining: 1m, finalVerify: 1m, reverseArmed: 1m } }
            service: { url: "{{address}}" }
            """, Cancellation);
        await using var service = ProcessRun.Start("env", [$"CDCM_FAILPOINTS={folder.FullName}", "dotnet", Cdcm.Assembly, "run", "-f", file]);
        await UntilAsync("the sides to be prepared", async () => (await RunAsync("cutover", "prepare")).ExitCode == 0);
        await source.ExecuteAsync("insert into t select n, 'second' from generate_series(21, 40) n");
        await UntilAsync("the rows", async () => await target.ScalarAsync<long>("select count(*) from t") == 40);
        await UntilAsync("both sides to be equal", async () => (await RunAsync("verify", "start", "--wait", "--timeout", "2m")).ExitCode == 0);

        var point = Path.Combine(folder.FullName, "Open.begin");
        await File.WriteAllTextAsync(point, "hold", Cancellation);
        var attempt = RunAsync("cutover", "start", "--yes");
        await UntilAsync("the seal", async () =>
        {
            // Refused where the gate was not open yet: made again, as by a person.
            attempt = attempt.IsCompleted && (await attempt).ExitCode == 3 ? RunAsync("cutover", "start", "--yes") : attempt;
            return File.Exists($"{point}.reached");
        });
        await ComeBackOlderAsync(target);

        await UntilAsync("the target to be opened", async () => await target.ScalarAsync<string>("select state from cdc_migrator.fence_state") == "open");
        Assert.Equal(40, await target.ScalarAsync<long>("select count(*) from t"));
        Assert.Equal(["true"], await target.RowsAsync("select evidence ->> 'marker_lost' from cdc_migrator.journal where event = 'opened-elsewhere'"));

        // None where the lanes had applied it all again before anybody looked.
        Assert.InRange(await source.ScalarAsync<long>("select count(*) from cdc_migrator.journal where event = 'way-back-stopped'"), 0, 1);
        File.Delete($"{point}.reached");
        Assert.Equal(0, (await attempt).ExitCode);
        await target.ExecuteAsync("insert into t values (41, 'third')");
        Assert.Contains("it came back without its last transactions", service.Error + service.Output, StringComparison.Ordinal);

        async Task UntilAsync(string what, Func<Task<bool>> condition)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            limit.CancelAfter(TimeSpan.FromMinutes(5));
            while (!await condition())
            {
                Assert.False(limit.IsCancellationRequested, $"waited in vain for {what}\n{service.Output}\n{service.Error}");
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Cancellation);
            }
        }

        Task<ProcessResult> RunAsync(params string[] verb) => Cdcm.RunAsync([.. verb, "--server", address, "-o", "json"]);
    }

    /// <summary>In one transaction that nobody can open before: it waits for the row that the coordinator holds, whose session ends as it does at a failover.</summary>
    private static async Task ComeBackOlderAsync(TestDatabase target)
    {
        await using var back = await target.DataSource.OpenConnectionAsync(Cancellation);
        await using var command = new NpgsqlCommand(
            """
            set session_replication_role = replica;
            begin;
            select from cdc_migrator.fence_state for update;
            delete from t where id > 30;
            update cdc_migrator.progress set next_offset = greatest(next_offset - 10, 0), commit_lsn = '0/0', lsn = '0/0', xid = 0 where topic like '%.t';
            delete from cdc_migrator.fence where id like 'marker:%';
            commit
            """, back);
        var done = command.ExecuteNonQueryAsync(Cancellation);
        while (!await target.ScalarAsync<bool>($"select exists (select from pg_locks where pid = {back.ProcessID} and not granted)") && !done.IsCompleted)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Cancellation);
        }

        await target.ExecuteAsync("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like 'cdcm-opening %'");
        await done;
    }
}
