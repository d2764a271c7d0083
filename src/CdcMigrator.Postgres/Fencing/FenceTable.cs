using CdcMigrator.Domain.Tables;
using Npgsql;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>The captured table through which markers travel: <c>cdc_migrator.fence(id, v)</c> on the side that is read.</summary>
public static class FenceTable
{
    /// <summary>Its name, which the connector's table list must hold.</summary>
    public static TableName Name { get; } = new("cdc_migrator", "fence");

    internal const string UpsertMarker =
        "insert into cdc_migrator.fence(id, v) values ($1, clock_timestamp()::text) on conflict (id) do update set v = excluded.v";

    /// <summary>Writes a marker in a transaction of its own, synchronously committed.</summary>
    public static async Task<FenceMarker> WriteMarkerAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(source);
        var id = NewMarkerId();
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await using (var transaction = await connection.BeginTransactionAsync(cancellationToken))
        {
            await WriteAsync(connection, id, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        return new FenceMarker(id, await CurrentLsnAsync(connection, cancellationToken));
    }

    /// <summary>Writes a marker that its owner alone waits for, in place of the owner's earlier ones, so that they do not pile up.</summary>
    /// <param name="source">The source.</param>
    /// <param name="owner">Whose markers these are; its id begins with it.</param>
    /// <param name="cancellationToken">Gives up; a marker may have been written.</param>
    public static async Task<FenceMarker> WriteMarkerAsync(NpgsqlDataSource source, string owner, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(source);
        var id = $"{owner}:{Guid.CreateVersion7():N}";
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await using (var transaction = await connection.BeginTransactionAsync(cancellationToken))
        {
            await using (var command = new NpgsqlCommand("delete from cdc_migrator.fence where starts_with(id, $1)", connection))
            {
                command.Parameters.Add(new NpgsqlParameter { Value = $"{owner}:" });
                await command.ExecuteNonQueryAsync(cancellationToken);
            }

            await WriteAsync(connection, id, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        return new FenceMarker(id, await CurrentLsnAsync(connection, cancellationToken));
    }

    internal static string NewMarkerId() => $"marker:{Guid.CreateVersion7():N}";

    internal static async Task WriteAsync(NpgsqlConnection connection, string id, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand("set local synchronous_commit = on"),
                new NpgsqlBatchCommand(UpsertMarker) { Parameters = { new NpgsqlParameter { Value = id } } },
            },
        };
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    internal static async Task<ulong> CurrentLsnAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint", connection);
        return (ulong)(long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }
}
