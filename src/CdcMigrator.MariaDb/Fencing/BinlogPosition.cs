using System.Globalization;
using System.Text.Json;
using MySqlConnector;

namespace CdcMigrator.MariaDb.Fencing;

/// <summary>
/// A place in a server's binlog. Files are numbered upwards, so places of one server order by file, then byte. Places of different
/// servers, and of one server before and after RESET MASTER, do not compare.
/// </summary>
/// <param name="File">Number at the end of the file's name; 0 is before every place.</param>
/// <param name="Offset">Byte in the file.</param>
public readonly record struct BinlogPosition(uint File, ulong Offset)
{
    /// <summary>Bits of <see cref="Value"/> the offset takes: a file of a terabyte.</summary>
    private const int OffsetBits = 40;

    /// <summary>The place as one number that orders alike, for contracts that carry a log position.</summary>
    public ulong Value => ((ulong)File << OffsetBits) | Offset;

    /// <summary>From the name of the file, <c>m-bin.000042</c>.</summary>
    /// <exception cref="FormatException">The name has no number at its end.</exception>
    public static BinlogPosition Of(string file, ulong offset)
    {
        ArgumentNullException.ThrowIfNull(file);
        var number = file.AsSpan(file.LastIndexOf('.') + 1);
        return uint.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) && parsed < 1u << (64 - OffsetBits) && offset < 1UL << OffsetBits
            ? new BinlogPosition(parsed, offset)
            : throw new FormatException($"'{file}' at {offset} is no place in a binlog");
    }

    /// <summary>
    /// The place up to which Kafka holds everything, from the offset Connect stores for Debezium's connector: it would start again there, and Connect
    /// stores only what the broker has acknowledged. Before every place while the connector's snapshot is not complete.
    /// </summary>
    public static BinlogPosition OfConnectorOffset(string json)
    {
        using var document = JsonDocument.Parse(json);
        var offset = document.RootElement;
        var inSnapshot = offset.TryGetProperty("snapshot", out var snapshot) && snapshot.ValueKind is not JsonValueKind.Null and not JsonValueKind.False
            && !(offset.TryGetProperty("snapshot_completed", out var completed) && completed.ValueKind == JsonValueKind.True);
        return !inSnapshot && offset.TryGetProperty("file", out var file) && file.GetString() is { Length: > 0 } name && offset.TryGetProperty("pos", out var place)
            ? Of(name, place.GetUInt64())
            : default;
    }

    /// <summary>Where the server writes now.</summary>
    /// <exception cref="MySqlException">Not allowed (BINLOG MONITOR, or REPLICATION CLIENT on MySQL), or no answer.</exception>
    public static async Task<BinlogPosition?> ReadAsync(MySqlConnection connection, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(connection);
        try
        {
            return await ReadAsync(connection, "show master status", cancellationToken);
        }
        catch (MySqlException exception) when (exception.ErrorCode == MySqlErrorCode.ParseError)
        {
            return await ReadAsync(connection, "show binary log status", cancellationToken);
        }
    }

    private static async Task<BinlogPosition?> ReadAsync(MySqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new MySqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? Of(reader.GetString(0), Convert.ToUInt64(reader.GetValue(1), CultureInfo.InvariantCulture))
            : null;
    }
}
