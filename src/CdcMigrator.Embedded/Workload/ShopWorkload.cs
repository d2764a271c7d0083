using System.Collections.Concurrent;
using Npgsql;

namespace CdcMigrator.Embedded.Workload;

/// <summary>
/// Writers that check themselves: each owns rows no other writer touches, so that the state of every row after any number of
/// crashes is known, and each transaction leaves a receipt, so that none can be lost unnoticed. They retry through lost connections
/// and restarted servers, wait while a fence denies them, and go on where <see cref="SwitchTo"/> sends them.
/// </summary>
public sealed class ShopWorkload : IAsyncDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly CancellationTokenSource abort = new();
    private readonly ConcurrentDictionary<string, long> failures = new();
    private readonly Task[] writers;
    private volatile WriteSide side;
    private long denied;
    private int writing;
    private volatile bool paused;
    private volatile string? lastFailure;

    private ShopWorkload(WriteSide side, ShopWorkloadOptions options)
    {
        this.side = side;
        Ledger = new WriteLedger(options.Time);
        writers = [.. Enumerable.Range(0, options.Writers).Select(index => Task.Run(() => RunAsync(index, options)))];
    }

    /// <summary>What the writers were promised.</summary>
    public WriteLedger Ledger { get; }

    /// <summary>Where the writers write.</summary>
    public WriteSide Side => side;

    /// <summary>Attempts a fence denied.</summary>
    public long Denied => Interlocked.Read(ref denied);

    /// <summary>Attempts that failed otherwise, by SQLSTATE, or <c>connection</c> where the server did not answer. They were retried.</summary>
    public IReadOnlyDictionary<string, long> Failures => failures;

    /// <summary>Message of the latest failed attempt; null where there was none.</summary>
    public string? LastFailure => lastFailure;

    /// <summary>Starts the writers on a side that holds the shop (<see cref="ShopSchema"/>).</summary>
    public static ShopWorkload Start(WriteSide side, ShopWorkloadOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(side);
        return new ShopWorkload(side, options ?? new ShopWorkloadOptions());
    }

    /// <summary>Sends the next transactions of all writers elsewhere. One in doubt is still decided where it was sent.</summary>
    public void SwitchTo(WriteSide next)
    {
        ArgumentNullException.ThrowIfNull(next);
        side = next;
    }

    /// <summary>Lets every writer finish its transaction and then rest; one in doubt is decided first.</summary>
    public async Task PauseAsync(CancellationToken cancellationToken)
    {
        paused = true;
        while (Volatile.Read(ref writing) > 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, cancellationToken);
        }
    }

    /// <summary>Lets the writers go on after <see cref="PauseAsync"/>.</summary>
    public void Resume() => paused = false;

    /// <summary>Waits until this many transactions are acknowledged.</summary>
    public async Task WaitForAcknowledgedAsync(long count, CancellationToken cancellationToken)
    {
        while (Ledger.Acknowledged < count)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
            if (writers.FirstOrDefault(writer => writer.IsFaulted) is { } broken)
            {
                await broken;
            }
        }
    }

    /// <summary>Lets every writer finish its transaction and decide what is in doubt, however long the server is away.</summary>
    /// <exception cref="OperationCanceledException">Waiting was given up: transactions may be undecided.</exception>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await stop.CancelAsync();
        await using var registration = cancellationToken.Register(abort.Cancel);
        await Task.WhenAll(writers);
    }

    /// <summary>Whether a database holds everything the writers were promised. Call it while they rest: paused or stopped.</summary>
    /// <exception cref="InvalidOperationException">A transaction is undecided.</exception>
    public async Task<LedgerVerdict> CheckAsync(string connectionString, CancellationToken cancellationToken)
    {
        var expectation = Ledger.Expectation();
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(SessionOf(connectionString)) { CommandTimeout = 0 }.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        var receipts = new HashSet<Guid>();
        await using (var command = new NpgsqlCommand("select id from public.receipts", connection))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                receipts.Add(reader.GetGuid(0));
            }
        }

        var rows = new Dictionary<RowKey, string>();
        var all = ShopTransaction.ReadRows.Replace("id = any($1)", "true", StringComparison.Ordinal).Replace("id = any($2)", "true", StringComparison.Ordinal)
            .Replace("order_id = any($3)", "true", StringComparison.Ordinal).Replace("id = any($3)", "true", StringComparison.Ordinal);
        await using (var command = new NpgsqlCommand(all, connection))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                rows[new RowKey(reader.GetString(0), reader.GetString(1))] = reader.GetString(2);
            }
        }

        return expectation.Judge(receipts, rows);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await abort.CancelAsync();
        await Task.WhenAll(writers).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.Dispose();
        abort.Dispose();
    }

    /// <summary>Text forms must not depend on server, role or session; a commit must not be acknowledged before it is on disk.</summary>
    internal static string SessionOf(string connectionString)
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, CommandTimeout = 15, Timeout = 5, ApplicationName = "shop" };
        builder.Options = $"{builder.Options} -c timezone=UTC -c datestyle=ISO,YMD -c intervalstyle=postgres -c extra_float_digits=1 -c bytea_output=hex -c synchronous_commit=on".TrimStart();
        return builder.ConnectionString;
    }

    private async Task RunAsync(int index, ShopWorkloadOptions options)
    {
        await using var writer = new ShopWriter(index, this, options);
        await writer.RunAsync(stop.Token, abort.Token);
    }

    /// <summary>A writer is about to write; false while paused. Counted first, looked at second: a pause never misses one.</summary>
    internal bool TryEnter()
    {
        Interlocked.Increment(ref writing);
        if (!paused)
        {
            return true;
        }

        Leave();
        return false;
    }

    internal void Leave() => Interlocked.Decrement(ref writing);

    internal void CountDenied() => Interlocked.Increment(ref denied);

    internal void CountFailure(int writer, Exception failure)
    {
        failures.AddOrUpdate(failure is PostgresException known ? known.SqlState : "connection", 1, (_, count) => count + 1);
        lastFailure = $"writer {writer}: {failure.Message}";
    }
}
