using Npgsql;

namespace CdcMigrator.Embedded.Workload;

/// <summary>Finds out whether a transaction committed whose COMMIT lost its answer.</summary>
internal static class ReceiptCheck
{
    /// <summary>
    /// Waits until the server answers and the transaction can no longer change its fate, then tells whether its receipt is there.
    /// Looking would not do: its backend may still be committing. Inserting the same id waits for it in the unique index.
    /// </summary>
    public static async Task<bool> WaitForOutcomeAsync(WriteSide side, Guid receipt, TimeProvider time, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await using var connection = new NpgsqlConnection(ShopWorkload.SessionOf(side.ConnectionString));
                await connection.OpenAsync(cancellationToken);
                return await IsThereAsync(connection, receipt, cancellationToken);
            }
            catch (Exception failure) when (failure is NpgsqlException or TimeoutException or System.Net.Sockets.SocketException or IOException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), time, cancellationToken);
            }
        }
    }

    private static async Task<bool> IsThereAsync(NpgsqlConnection connection, Guid receipt, CancellationToken cancellationToken)
    {
        try
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await using var probe = new NpgsqlCommand(
                "insert into public.receipts(id, writer, seq, what) values ($1, -1, -1, 'probe') on conflict do nothing", connection)
            {
                Parameters = { new() { Value = receipt } },
            };
            var inserted = await probe.ExecuteNonQueryAsync(cancellationToken);
            await transaction.RollbackAsync(cancellationToken);
            return inserted == 0;
        }
        catch (PostgresException denied) when (denied.SqlState == PostgresErrorCodes.ReadOnlySqlTransaction)
        {
            // The fence was closed only after every writer in flight had ended: a look is final.
            await using var look = new NpgsqlCommand("select exists (select from public.receipts where id = $1)", connection)
            {
                Parameters = { new() { Value = receipt } },
            };
            return await look.ExecuteScalarAsync(cancellationToken) is true;
        }
    }
}
