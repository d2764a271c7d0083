using CdcMigrator.Embedded.Workload;
using Npgsql;

namespace CdcMigrator.Cli.Demo;

/// <summary>The applications' router: sends the writers to whichever side says that it takes writes.</summary>
internal sealed class DemoRouter : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);
    private readonly CancellationTokenSource stop = new();
    private readonly string migration;
    private readonly DemoServers servers;
    private readonly ShopWorkload workload;
    private readonly Task watching;

    public DemoRouter(string migration, DemoServers servers, ShopWorkload workload)
    {
        this.migration = migration;
        this.servers = servers;
        this.workload = workload;
        watching = Task.Run(WatchAsync);
    }

    /// <summary>What the side is called in the ledger that the writers go to next.</summary>
    public string? Next { get; set; }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.Dispose();
    }

    private async Task WatchAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            var onSource = workload.Side.ConnectionString == servers.SourceConnection;
            if (Next is { } name && await IsOpenAsync(onSource ? servers.Target : servers.Source))
            {
                workload.SwitchTo(new WriteSide(name, onSource ? servers.TargetConnection : servers.SourceConnection));
            }

            await Task.Delay(Pause, TimeProvider.System, stop.Token);
        }
    }

    private async Task<bool> IsOpenAsync(NpgsqlDataSource side)
    {
        try
        {
            await using var command = side.CreateCommand("select state = 'open' from cdc_migrator.fence_state where migration = $1");
            command.Parameters.Add(new NpgsqlParameter { Value = migration });
            return await command.ExecuteScalarAsync(stop.Token) is true;
        }
        catch (NpgsqlException)
        {
            // Not prepared yet.
            return false;
        }
    }
}
