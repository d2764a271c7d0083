using CdcMigrator.Embedded.Workload;
using Npgsql;

namespace CdcMigrator.EndToEndTests.Migration;

/// <summary>An application's router: sends the writers to whichever side says that it takes writes.</summary>
internal sealed class Router : IAsyncDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly MigrationStack stack;
    private readonly ShopWorkload workload;
    private readonly Task watching;
    private volatile string? next;

    public Router(MigrationStack stack, ShopWorkload workload)
    {
        this.stack = stack;
        this.workload = workload;
        Side = workload.Side.Name;
        watching = Task.Run(WatchAsync);
    }

    /// <summary>The side the writers are on, as the ledger calls it.</summary>
    public string Side { get; private set; }

    /// <summary>What the next side is called.</summary>
    public void Name(string side) => next = side;

    /// <summary>Which sides say that they take writes: source, target.</summary>
    public async Task<(bool Source, bool Target)> OpenAsync() => (await IsOpenAsync(stack.Source), await IsOpenAsync(stack.Target));

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
            var other = workload.Side.ConnectionString == stack.SourceConnection ? stack.TargetConnection : stack.SourceConnection;
            if (await IsOpenAsync(other == stack.SourceConnection ? stack.Source : stack.Target) && next is { } name)
            {
                workload.SwitchTo(new WriteSide(name, other));
                Side = name;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, stop.Token);
        }
    }

    private async Task<bool> IsOpenAsync(NpgsqlDataSource side)
    {
        try
        {
            await using var command = side.CreateCommand("select state = 'open' from cdc_migrator.fence_state where migration = $1");
            command.Parameters.Add(new NpgsqlParameter { Value = stack.Name });
            return await command.ExecuteScalarAsync(stop.Token) is true;
        }
        catch (NpgsqlException)
        {
            // Not prepared yet, or being killed.
            return false;
        }
    }
}
