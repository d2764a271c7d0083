using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using Npgsql;

namespace CdcMigrator.Embedded.State;

/// <summary>What a snapshot needs of the target's tables: that they are empty at first, and emptied to start over.</summary>
internal static class TargetTables
{
    /// <summary>Opens an unpooled session; its lock and its role setting must not outlive it.</summary>
    public static async Task<NpgsqlConnection> OpenAsync(string connectionString, CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString)
        {
            Pooling = false,
            CommandTimeout = 0,
            ApplicationName = "cdcm embedded log",
            TcpKeepAlive = true,
        }.ConnectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Locks a table against writers until the transaction ends and makes sure that it has no row.</summary>
    public static async Task CheckEmptyAsync(NpgsqlConnection session, NpgsqlTransaction transaction, TableName table, CancellationToken cancellationToken)
    {
        try
        {
            await ExecuteAsync(session, transaction, $"lock table {table.Sql} in share row exclusive mode", cancellationToken);
        }
        catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName)
        {
            throw new FaultException(new Fault(FaultKind.Configuration, "target-table-missing", $"Table {table} does not exist in the target",
                "Create the schema in the target first (Flyway, Liquibase, Prisma, Alembic, or pg_dump --schema-only)")
            { Table = table.ToString() }, exception);
        }

        await using var command = new NpgsqlCommand($"select exists(select 1 from {table.Sql})", session, transaction);
        if (await command.ExecuteScalarAsync(cancellationToken) is true)
        {
            throw new FaultException(new Fault(FaultKind.Configuration, "target-not-empty", $"Table {table} already has rows in the target",
                $"A snapshot fills empty tables only: empty it by hand if its rows may go, or leave the table out of the migration")
            { Table = table.ToString() });
        }
    }

    /// <summary>Raises the epoch of every lane, waiting for their open transactions: what a former process still holds can no longer commit.</summary>
    public static async Task ShutLanesOutAsync(NpgsqlConnection session, NpgsqlTransaction transaction, string migration, CancellationToken cancellationToken)
    {
        await using var exists = new NpgsqlCommand("select to_regclass('cdc_migrator.progress') is not null", session, transaction);
        if (await exists.ExecuteScalarAsync(cancellationToken) is true)
        {
            await using var command = new NpgsqlCommand("update cdc_migrator.progress set epoch = epoch + 1 where migration = $1", session, transaction)
            { Parameters = { new() { Value = migration } } };
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    /// <summary>Deletes all rows, without triggers and foreign keys.</summary>
    public static async Task ClearAsync(NpgsqlConnection session, NpgsqlTransaction transaction, IReadOnlyList<TableName> tables, CancellationToken cancellationToken)
    {
        await ExecuteAsync(session, transaction, "set local session_replication_role = replica", cancellationToken);
        foreach (var table in tables)
        {
            await ExecuteAsync(session, transaction, $"delete from {table.Sql}", cancellationToken);
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection session, NpgsqlTransaction transaction, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, session, transaction);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
