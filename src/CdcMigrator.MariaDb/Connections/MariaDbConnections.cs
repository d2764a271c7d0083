using CdcMigrator.Domain.Faults;
using MySqlConnector;

namespace CdcMigrator.MariaDb.Connections;

/// <summary>Sessions of a MariaDB or MySQL source, from the connection string of the migration file.</summary>
public static class MariaDbConnections
{
    /// <summary>A pool. Connects on first use.</summary>
    /// <exception cref="FaultException">Configuration: the connection string cannot be read.</exception>
    public static MySqlDataSource Create(string connection)
    {
        try
        {
            var builder = new MySqlConnectionStringBuilder(connection)
            {
                // The driver must not reinterpret: tinyint(1) is a number, binary(16) are bytes.
                TreatTinyAsBoolean = false,
                GuidFormat = MySqlGuidFormat.None,
                CharacterSet = "utf8mb4",
                ApplicationName = "cdcm",
                ConnectionTimeout = 15,
            };
            return new MySqlDataSource(builder.ConnectionString);
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or InvalidOperationException)
        {
            throw new FaultException(
                new Fault(FaultKind.Configuration, "connection-string", $"The source's connection string cannot be read: {exception.Message}",
                    "Write it as Server=…;Port=3306;Database=…;User ID=…;Password=…"), exception);
        }
    }

    /// <summary>A session that reads timestamps in UTC.</summary>
    /// <exception cref="MySqlException">The server does not answer, or refuses.</exception>
    public static async Task<MySqlConnection> OpenAsync(MySqlDataSource source, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(source);
        var connection = await source.OpenConnectionAsync(cancellationToken);
        try
        {
            await using var command = new MySqlCommand("set session time_zone = '+00:00'", connection);
            await command.ExecuteNonQueryAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>A name as an identifier of MariaDB's SQL.</summary>
    internal static string Quote(string name) => $"`{name.Replace("`", "``", StringComparison.Ordinal)}`";

    /// <summary>A table's name as MariaDB's SQL.</summary>
    internal static string Sql(Domain.Tables.TableName table) => $"{Quote(table.Schema)}.{Quote(table.Name)}";
}
