using Npgsql;

namespace CdcMigrator.Embedded.Replication;

/// <summary>How sessions on the source are set up: every one must render a value as the same text.</summary>
internal static class SourceSession
{
    private static readonly string Settings = string.Join(' ', new[]
    {
        "DateStyle=ISO", "IntervalStyle=postgres", "TimeZone=UTC", "extra_float_digits=3", "bytea_output=hex", "lc_monetary=C",
        "search_path=pg_catalog", "xmlbinary=base64", "xmloption=content", "quote_all_identifiers=off", "row_security=off",
        "statement_timeout=0", "lock_timeout=0", "idle_in_transaction_session_timeout=0",
    }.Select(setting => $"-c {setting}"));

    /// <summary>Connection string of an unpooled session with text forms pinned and no command timeout.</summary>
    public static string Pin(string connectionString, string purpose)
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString)
        {
            Pooling = false,
            CommandTimeout = 0,
            ApplicationName = $"cdcm {purpose}",
            TcpKeepAlive = true,
            ClientEncoding = "UTF8",
        };
        builder.Options = string.IsNullOrEmpty(builder.Options) ? Settings : $"{builder.Options} {Settings}";
        return builder.ConnectionString;
    }

    /// <summary>Opens an ordinary pinned session.</summary>
    public static async Task<NpgsqlConnection> OpenAsync(string connectionString, string purpose, CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(Pin(connectionString, purpose));
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
}
