using Npgsql;

namespace CdcMigrator.Embedded.Workload;

/// <summary>One writer: a transaction, its acknowledgement, the next. It outlives lost connections, restarted servers and closed fences.</summary>
internal sealed class ShopWriter(int index, ShopWorkload workload, ShopWorkloadOptions options) : IAsyncDisposable
{
    private static readonly TimeSpan DeniedPause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly ShopModel model = new(index);
    private readonly Random random = new((options.Seed * 7919) + index);
    private NpgsqlConnection? connection;
    private WriteSide? connectedTo;
    private long sequence;

    /// <summary>Writes until stopped. A transaction in doubt is decided before it returns, unless <paramref name="abort"/> is cancelled.</summary>
    public async Task RunAsync(CancellationToken stop, CancellationToken abort)
    {
        var operations = new ShopOperations(model, random);
        var interval = options.Rate > 0 ? TimeSpan.FromSeconds(options.Writers / options.Rate) : TimeSpan.Zero;
        var started = options.Time.GetTimestamp();
        var due = TimeSpan.FromTicks(interval.Ticks * index / options.Writers);
        var adopted = false;
        var failures = 0;
        while (!stop.IsCancellationRequested)
        {
            var pause = TimeSpan.Zero;
            try
            {
                if (!adopted)
                {
                    await ShopAdoption.AdoptAsync(await ConnectAsync(workload.Side, abort), model, workload.Ledger, options, abort);
                    adopted = true;
                }

                pause = due - options.Time.GetElapsedTime(started);
                if (pause <= TimeSpan.Zero && !workload.TryEnter())
                {
                    pause = DeniedPause;
                }
                else if (pause <= TimeSpan.Zero)
                {
                    try
                    {
                        await WriteAsync(operations, abort);
                    }
                    finally
                    {
                        workload.Leave();
                    }

                    failures = 0;

                    // After an outage the pace is caught up for a second, not for all of it.
                    var now = options.Time.GetElapsedTime(started);
                    due = due + interval > now - LongestPause ? due + interval : now;
                    continue;
                }
            }
            catch (PostgresException denied) when (denied.SqlState == PostgresErrorCodes.ReadOnlySqlTransaction)
            {
                workload.CountDenied();
                await DisconnectUnlessIdleAsync();
                pause = DeniedPause;
            }
            catch (Exception failure) when (failure is NpgsqlException or TimeoutException or System.Net.Sockets.SocketException or IOException)
            {
                workload.CountFailure(index, failure);
                await DisconnectAsync();
                pause = TimeSpan.FromMilliseconds(Math.Min(LongestPause.TotalMilliseconds, 20 * Math.Pow(2, failures++)) * (0.5 + random.NextDouble()));
            }

            try
            {
                await Task.Delay(pause, options.Time, stop);
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => new(DisconnectAsync());

    private async Task WriteAsync(ShopOperations operations, CancellationToken abort)
    {
        var side = workload.Side;
        var open = await ConnectAsync(side, abort);
        await using var transaction = await open.BeginTransactionAsync(abort);
        var work = new ShopTransaction(open);
        await operations.RunAsync(work);
        var receipt = Guid.CreateVersion7();
        var rows = await work.FinishAsync(receipt, index, ++sequence);
        var entry = new LedgerEntry(receipt, index, sequence, side.Name, rows);
        workload.Ledger.Intend(entry);
        try
        {
            await transaction.CommitAsync(CancellationToken.None);
        }
        catch (PostgresException refused) when (refused.SqlState[..2] is "23" or "40")
        {
            workload.Ledger.Abandon(entry);
            throw;
        }
        catch (Exception)
        {
            workload.Ledger.Doubt(entry);
            await DisconnectAsync();
            var found = await ReceiptCheck.WaitForOutcomeAsync(side, entry.Receipt, options.Time, abort);
            workload.Ledger.Resolve(entry, found);
            if (found)
            {
                work.Learn();
            }

            return;
        }

        workload.Ledger.Acknowledge(entry);
        work.Learn();
    }

    private async Task<NpgsqlConnection> ConnectAsync(WriteSide side, CancellationToken abort)
    {
        if (connection is { State: System.Data.ConnectionState.Open } && connectedTo == side)
        {
            return connection;
        }

        await DisconnectAsync();
        connection = new NpgsqlConnection(ShopWorkload.SessionOf(side.ConnectionString));
        connectedTo = side;
        await connection.OpenAsync(abort);
        return connection;
    }

    /// <summary>After a denial the session is good: the transaction was rolled back on dispose. Only a broken one goes.</summary>
    private Task DisconnectUnlessIdleAsync() => connection is { State: System.Data.ConnectionState.Open } ? Task.CompletedTask : DisconnectAsync();

    private async Task DisconnectAsync()
    {
        if (connection is not null)
        {
            await connection.DisposeAsync();
            connection = null;
        }
    }
}
