using CdcMigrator.Domain.Faults;
using CdcMigrator.Postgres.Faults;
using CdcMigrator.Postgres.Fencing;
using Npgsql;

namespace CdcMigrator.Postgres.Connections;

/// <summary>
/// The only place where data sources are made: one a role, each with the session settings on which values and outcomes depend, so that
/// no server, database or role setting can change what is written or read.
/// </summary>
public static class PostgresConnections
{
    /// <summary>What every application name of ours begins with; a takeover ends only such sessions.</summary>
    internal const string ApplicationPrefix = "cdcm";

    /// <summary>Name of a session while it holds all lanes of a topic for a TRUNCATE: no claim ends it as if its owner hung.</summary>
    internal const string TruncateApplication = "cdcm-truncate";

    /// <summary>What the name of a session begins with while it holds what the opening of a side needs.</summary>
    internal const string OpeningApplication = "cdcm-opening";

    /// <summary>
    /// Sessions that write changes: replica role (no triggers, no foreign keys), settings pinned, not pooled: closing one ends it. Opening one throws
    /// Configuration <c>replication-role</c> where the role may not take the replica role.
    /// </summary>
    public static NpgsqlDataSource CreateApply(string connectionString) => Create(connectionString, "apply", SessionSettings.Apply, replica: true);

    /// <summary>Sessions for control tables, catalog and fence, in the ordinary role.</summary>
    public static NpgsqlDataSource CreateControl(string connectionString) => Create(connectionString, "control", SessionSettings.Control, replica: false);

    /// <summary>Sessions that read the source's rows, with the apply sessions' text forms.</summary>
    public static NpgsqlDataSource CreateSourceRead(string connectionString) => Create(connectionString, "source", SessionSettings.SourceRead, replica: false);

    /// <summary>Sessions that hold snapshots of rows to compare, on either side: read only, repeatable read, with the apply sessions' text forms.</summary>
    public static NpgsqlDataSource CreateVerify(string connectionString) => Create(connectionString, "verify", SessionSettings.Verify, replica: false);

    /// <summary>Sessions that survey the source: read only, and no statement waits long for a lock.</summary>
    public static NpgsqlDataSource CreateAudit(string connectionString) => Create(connectionString, "audit", SessionSettings.Audit, replica: false);

    /// <summary>Sessions that run an application's queries on either side: read only, planned as the application's are, with one text form of values.</summary>
    public static NpgsqlDataSource CreateBenchmark(string connectionString) => Create(connectionString, "benchmark", SessionSettings.Benchmark, replica: false);

    private static NpgsqlDataSource Create(string connectionString, string role, string settings, bool replica)
    {
        NpgsqlConnectionStringBuilder text;
        try
        {
            text = new NpgsqlConnectionStringBuilder(connectionString);
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException)
        {
            throw new FaultException(FaultKind.Configuration, "connection-string", $"The connection string cannot be read: {exception.Message}",
                "Write it as Npgsql does: Host=…;Port=…;Database=…;Username=…;Password=…", exception);
        }

        text.ApplicationName = $"{ApplicationPrefix}-{role}";
        text.Timezone = "UTC";
        text.CommandTimeout = 0;
        text.NoResetOnClose = true;
        text.TcpKeepAlive = true;
        text.TcpKeepAliveTime = 10;
        text.TcpKeepAliveInterval = 5;
        text.IncludeErrorDetail = true;
        if (replica)
        {
            // Writers keep their sessions themselves, with what belongs to them (staging tables): closing one must end it.
            text.Pooling = false;
            text.MaxAutoPrepare = 100;
            text.AutoPrepareMinUsages = 2;
        }

        var builder = new NpgsqlDataSourceBuilder(text.ConnectionString);
        builder.UsePhysicalConnectionInitializer(
            connection => Initialise(connection, settings, replica, async: false).GetAwaiter().GetResult(),
            connection => Initialise(connection, settings, replica, async: true));
        return builder.Build();
    }

    private static async Task Initialise(NpgsqlConnection connection, string settings, bool replica, bool async)
    {
        await ExecuteAsync(connection, settings, async);
        if (!replica)
        {
            return;
        }

        try
        {
            await ExecuteAsync(connection, $"set session_replication_role = replica; set {FenceTriggers.ApplierSetting} = 'on'", async);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new FaultException(PostgresFaults.ReplicationRole(new NpgsqlConnectionStringBuilder(connection.ConnectionString).Username), exception);
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, bool async)
    {
        // No caller's cancellation reaches this: a server that logs a session in and then says nothing would keep it for good.
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = connection.ConnectionTimeout };
        if (async)
        {
            await command.ExecuteNonQueryAsync();
        }
        else
        {
            command.ExecuteNonQuery();
        }
    }
}
