using CdcMigrator.Domain.Faults;
using CdcMigrator.MariaDb.Connections;
using CdcMigrator.MariaDb.Faults;
using CdcMigrator.Postgres.Fencing;
using MySqlConnector;

namespace CdcMigrator.MariaDb.Fencing;

/// <summary>The captured table through which markers travel, <c>cdc_migrator.fence(id, v)</c>, in a MariaDB or MySQL source.</summary>
public static class FenceTable
{
    /// <summary>Row that names the source's lineage.</summary>
    private const string LineageRow = "lineage";

    /// <summary>Row written behind each marker.</summary>
    private const string BehindRow = "behind";

    /// <summary>Creates database, table and lineage where they are missing. Idempotent; processes may race.</summary>
    /// <exception cref="FaultException">Unreachable; Configuration: the role may not create them.</exception>
    public static async Task PrepareAsync(MySqlDataSource source, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await MariaDbConnections.OpenAsync(source, cancellationToken);
            if (await LineageAsync(connection, cancellationToken) is not null)
            {
                return;
            }

            await ExecuteAsync(connection, "create database if not exists cdc_migrator character set utf8mb4", cancellationToken);
            await ExecuteAsync(connection, "create table if not exists cdc_migrator.fence (id varchar(190) not null primary key, v text) engine = InnoDB character set utf8mb4", cancellationToken);
            await ExecuteAsync(connection, $"insert ignore into cdc_migrator.fence (id, v) values ('{LineageRow}', uuid())", cancellationToken);
        }
        catch (MySqlException exception)
        {
            throw MariaDbFaults.ToException(exception);
        }
    }

    /// <summary>
    /// The source's lineage: an id made once and kept in the table, so that a replica promoted in its place, which continues its GTIDs, is of the same
    /// lineage and another server is not; and the GTID domain it writes in (0 on MySQL).
    /// </summary>
    /// <exception cref="FaultException">Unreachable; Configuration: the table is missing and may not be created.</exception>
    public static async Task<SourceIdentity> ReadIdentityAsync(MySqlDataSource source, CancellationToken cancellationToken)
    {
        await PrepareAsync(source, cancellationToken);
        try
        {
            await using var connection = await MariaDbConnections.OpenAsync(source, cancellationToken);
            var id = await LineageAsync(connection, cancellationToken);
            await using var command = new MySqlCommand("show variables like 'gtid_domain_id'", connection);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var domain = await reader.ReadAsync(cancellationToken) ? int.Parse(reader.GetString(1), System.Globalization.CultureInfo.InvariantCulture) : 0;
            return new SourceIdentity(id!, domain);
        }
        catch (MySqlException exception)
        {
            throw MariaDbFaults.ToException(exception);
        }
    }

    /// <summary>
    /// Writes a marker in a transaction of its own. Its position is where the binlog stood after the commit: everything committed before lies below. Another
    /// row is written behind it, so that the connector passes the position at once.
    /// </summary>
    /// <exception cref="FaultException">Unreachable; Configuration: no right to write or to see the binlog's position, or no binlog.</exception>
    public static Task<FenceMarker> WriteMarkerAsync(MySqlDataSource source, CancellationToken cancellationToken) =>
        WriteMarkerAsync(source, "marker", keeps: true, cancellationToken);

    /// <summary>Writes a marker that its owner alone waits for, in place of the owner's earlier ones, so that they do not pile up.</summary>
    /// <exception cref="FaultException">As of any marker.</exception>
    public static Task<FenceMarker> WriteMarkerAsync(MySqlDataSource source, string owner, CancellationToken cancellationToken) =>
        WriteMarkerAsync(source, owner, keeps: false, cancellationToken);

    private static async Task<FenceMarker> WriteMarkerAsync(MySqlDataSource source, string owner, bool keeps, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await MariaDbConnections.OpenAsync(source, cancellationToken);
            var id = $"{owner}:{Guid.CreateVersion7():N}";
            if (!keeps)
            {
                await using var clear = new MySqlCommand("delete from cdc_migrator.fence where left(id, char_length(@owner)) = @owner", connection);
                clear.Parameters.AddWithValue("@owner", $"{owner}:");
                await clear.ExecuteNonQueryAsync(cancellationToken);
            }

            await using (var command = new MySqlCommand("insert into cdc_migrator.fence (id, v) values (@id, utc_timestamp(6))", connection))
            {
                command.Parameters.AddWithValue("@id", id);
                await command.ExecuteNonQueryAsync(cancellationToken);
            }

            var position = await BinlogPosition.ReadAsync(connection, cancellationToken)
                ?? throw new FaultException(FaultKind.Configuration, "binlog", "The source writes no binlog", "Set log_bin and restart the server");

            // The connector's offset passes a transaction with the event behind it only. An idle source would have none until the binlog's
            // next heartbeat, most of a minute later.
            await using (var behind = new MySqlCommand($"insert into cdc_migrator.fence (id, v) values ('{BehindRow}', @id) on duplicate key update v = @id", connection))
            {
                behind.Parameters.AddWithValue("@id", id);
                await behind.ExecuteNonQueryAsync(cancellationToken);
            }

            return new FenceMarker(id, position.Value);
        }
        catch (MySqlException exception)
        {
            throw MariaDbFaults.ToException(exception);
        }
    }

    private static async Task<string?> LineageAsync(MySqlConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            await using var command = new MySqlCommand($"select v from cdc_migrator.fence where id = '{LineageRow}'", connection);
            return await command.ExecuteScalarAsync(cancellationToken) as string;
        }
        catch (MySqlException exception) when (exception.ErrorCode is MySqlErrorCode.NoSuchTable or MySqlErrorCode.UnknownDatabase)
        {
            return null;
        }
    }

    private static async Task ExecuteAsync(MySqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new MySqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
