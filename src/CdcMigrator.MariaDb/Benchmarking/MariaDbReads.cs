using System.Diagnostics;
using System.Globalization;
using CdcMigrator.Domain.Benchmarking;
using CdcMigrator.Domain.Faults;
using CdcMigrator.MariaDb.Connections;
using CdcMigrator.MariaDb.Faults;
using CdcMigrator.MariaDb.Fencing;
using MySqlConnector;

namespace CdcMigrator.MariaDb.Benchmarking;

/// <summary>Queries on a MariaDB or MySQL source, in one session, each in a read-only transaction with a limit of time.</summary>
public sealed class MariaDbReads : IReadSide
{
    private readonly MySqlDataSource database;
    private readonly MySqlConnection connection;
    private readonly TimeSpan limit;

    private MariaDbReads(MySqlDataSource database, MySqlConnection connection, TimeSpan limit)
    {
        this.database = database;
        this.connection = connection;
        this.limit = limit;
    }

    /// <summary>Connects.</summary>
    /// <exception cref="FaultException">The source does not answer, or refuses the login.</exception>
    public static async Task<MariaDbReads> OpenAsync(string connectionString, TimeSpan limit, CancellationToken cancellationToken)
    {
        var database = MariaDbConnections.Create(connectionString);
        try
        {
            return new MariaDbReads(database, await MariaDbConnections.OpenAsync(database, cancellationToken), limit);
        }
        catch (MySqlException exception)
        {
            await database.DisposeAsync();
            throw MariaDbFaults.ToException(exception);
        }
    }

    /// <inheritdoc />
    public async Task<double> RunAsync(string sql, ResultDigester? digester, CancellationToken cancellationToken)
    {
        try
        {
            await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, isReadOnly: true, cancellationToken);
            var started = Stopwatch.GetTimestamp();
            await using var command = new MySqlCommand(sql, connection, transaction) { CommandTimeout = Math.Max(1, (int)Math.Ceiling(limit.TotalSeconds)) };
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var values = new string?[reader.FieldCount];
            while (await reader.ReadAsync(cancellationToken))
            {
                for (var i = 0; i < values.Length; i++)
                {
                    values[i] = reader.IsDBNull(i) ? null : Text(reader.GetValue(i), reader.GetDataTypeName(i));
                }

                digester?.Add(values);
            }

            return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        }
        catch (InvalidCastException exception)
        {
            throw new FaultException(FaultKind.Configuration, "query", $"The source's result holds a value no client type has, like a zero date: {exception.Message}", "Format it in the query under 'benchmarks:' of the migration file", exception);
        }
        catch (MySqlException exception) when (exception.ErrorCode is MySqlErrorCode.CommandTimeoutExpired or MySqlErrorCode.QueryInterrupted or MySqlErrorCode.QueryTimeout)
        {
            throw new FaultException(FaultKind.Configuration, "query-time", string.Create(CultureInfo.InvariantCulture, $"The source did not answer within {limit.TotalSeconds:0.##} s"), "Allow more time with --limit", exception);
        }
        catch (MySqlException exception)
        {
            var fault = MariaDbFaults.Classify(exception);
            throw fault.Kind == FaultKind.Configuration && fault.Code != "authentication"
                ? new FaultException(FaultKind.Configuration, "query", $"The source refuses the query: {exception.Message}", "Correct it under 'benchmarks:' of the migration file", exception)
                : new FaultException(fault, exception);
        }
    }

    /// <summary>The binlog's position: it moves with whatever is written on the server.</summary>
    public async Task<string> ReadPlaceAsync(string sql, CancellationToken cancellationToken)
    {
        try
        {
            return (await BinlogPosition.ReadAsync(connection, cancellationToken))?.Value.ToString(CultureInfo.InvariantCulture) ?? "";
        }
        catch (MySqlException exception)
        {
            throw MariaDbFaults.ToException(exception);
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await connection.DisposeAsync();
        await database.DisposeAsync();
    }

    /// <summary>As PostgreSQL prints the value of the type it becomes.</summary>
    private static string Text(object value, string type) => value switch
    {
        DateTime moment => moment.ToString(type == "DATE" ? "yyyy-MM-dd" : "yyyy-MM-dd HH:mm:ss.FFFFFF", CultureInfo.InvariantCulture),
        byte[] bytes => $"\\x{Convert.ToHexStringLower(bytes)}",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };
}
