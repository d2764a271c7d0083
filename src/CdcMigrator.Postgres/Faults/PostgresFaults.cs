using System.Net.Sockets;
using CdcMigrator.Domain.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.Faults;

/// <summary>Turns what Npgsql throws into faults: who can act, a stable code, what to do. The caller adds table, key, lane and offset.</summary>
public static class PostgresFaults
{
    /// <summary>SQLSTATE our functions raise when a lane has another owner, or its progress is elsewhere.</summary>
    internal const string FencedState = "CDM01";

    /// <summary>SQLSTATE our functions raise when a lane is frozen.</summary>
    internal const string FrozenState = "CDM02";

    /// <summary>
    /// Whether this is how asking a server fails. Not all of it is Npgsql's own: a host name that does not resolve comes as the bare exception of the socket.
    /// </summary>
    public static bool IsOfServer(Exception exception) => exception is NpgsqlException or IOException or TimeoutException or SocketException;

    /// <summary>The fault an exception stands for. A <see cref="FaultException"/> keeps its own.</summary>
    public static Fault Classify(Exception exception) => exception switch
    {
        FaultException known => known.Fault,
        PostgresException error => Classify(error),
        OperationCanceledException => new Fault(FaultKind.Transient, "cancelled", "The statement was cancelled"),
        NpgsqlException { InnerException: SocketException or TimeoutException } error when IsConnecting(error) => Unreachable($"{error.Message}: {Innermost(error)}"),
        NpgsqlException { InnerException: System.Security.Authentication.AuthenticationException inner } =>
            new Fault(FaultKind.Configuration, "tls", $"The encrypted connection was refused: {inner.Message}",
                "Check 'SSL Mode' and 'Root Certificate' of the connection string"),
        SocketException or NpgsqlException when IsNameless(exception) => Unreachable($"its host name does not resolve: {Innermost(exception)}"),
        _ when IsOfServer(exception) =>
            new Fault(FaultKind.Transient, "connection-lost", $"The connection to PostgreSQL broke: {Innermost(exception)}", "It is retried"),
        InvalidOperationException => new Fault(FaultKind.Internal, "postgres-use", exception.Message),
        _ => new Fault(FaultKind.Internal, "internal", exception.Message),
    };

    /// <summary>The fault as an exception, with the original inside.</summary>
    public static FaultException ToException(Exception exception) =>
        exception as FaultException ?? new FaultException(Classify(exception), exception);

    /// <summary>The role lacks the right to take the replica role.</summary>
    internal static Fault ReplicationRole(string? role) => new(
        FaultKind.Configuration,
        "replication-role",
        $"Role {role} may not set session_replication_role, so triggers and foreign keys would fire while changes are applied",
        $"On PostgreSQL 15 or newer run 'GRANT SET ON PARAMETER session_replication_role TO \"{role}\"' as superuser, before that use a superuser");

    /// <summary>Whether a row, not the server or the schema, is to blame: such a row is looked for and named.</summary>
    internal static bool IsRowError(PostgresException error) =>
        IsConflict(error) || Classify(error).Kind == FaultKind.Poison;

    /// <summary>A unique or exclusion constraint, or one row met twice in a statement because keys are equal in another spelling.</summary>
    internal static bool IsConflict(PostgresException error) => error.SqlState is
        PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.ExclusionViolation or PostgresErrorCodes.CardinalityViolation;

    private static Fault Classify(PostgresException error) => error.SqlState switch
    {
        FencedState => new Fault(FaultKind.Fenced, "fenced", error.MessageText),
        FrozenState => new Fault(FaultKind.NotAllowed, "lane-frozen", error.MessageText, "The migration has left this direction: see 'cdcm status'"),
        PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification => new Fault(
            FaultKind.Configuration, "authentication", $"PostgreSQL refuses the login: {error.MessageText}", "Check user and password of the connection string, and pg_hba.conf"),
        PostgresErrorCodes.InvalidCatalogName => new Fault(
            FaultKind.Configuration, "no-database", $"The database does not exist: {error.MessageText}", "Create it, or correct Database in the connection string"),
        PostgresErrorCodes.ReadOnlySqlTransaction => new Fault(
            FaultKind.Unreachable, "read-only", $"The target does not accept writes: {error.MessageText}",
            "Connect to the primary, and set default_transaction_read_only off for the migration's role"),
        PostgresErrorCodes.DiskFull => new Fault(
            FaultKind.Unreachable, "disk-full", $"The server's disk is full: {error.MessageText}", "Free or add space; it goes on by itself"),
        PostgresErrorCodes.OutOfMemory => new Fault(
            FaultKind.Unreachable, "out-of-memory", $"The server is out of memory: {error.MessageText}", "Lower apply.batchBytes or give the server more memory"),
        PostgresErrorCodes.TooManyConnections => new Fault(
            FaultKind.Unreachable, "too-many-connections", $"No connection is free: {error.MessageText}", "Raise max_connections or lower apply.writers"),
        PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.DatabaseDropped => new Fault(
            FaultKind.Unreachable, "server-shutdown", $"The server ended the session: {error.MessageText}", "It is retried until the server answers again"),
        PostgresErrorCodes.DeadlockDetected => new Fault(FaultKind.Transient, "deadlock", $"Two sessions waited for each other: {error.MessageText}", "It is retried"),
        PostgresErrorCodes.SerializationFailure => new Fault(FaultKind.Transient, "serialization", error.MessageText, "It is retried"),
        PostgresErrorCodes.LockNotAvailable => new Fault(FaultKind.Transient, "lock-timeout", $"A lock was not granted in time: {error.MessageText}", "It is retried"),
        PostgresErrorCodes.QueryCanceled => new Fault(
            FaultKind.Transient, "statement-timeout", $"A statement was ended: {error.MessageText}", "It is retried with a smaller batch; see pg_locks if it lasts"),
        "25P03" or "25P04" or "57P05" => new Fault(FaultKind.Transient, "session-timeout", $"The server ended an idle session: {error.MessageText}", "It is retried"),
        PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName => new Fault(
            FaultKind.Configuration, "missing-table", error.MessageText, "Create it, or correct 'tables:' in the migration file, then run 'cdcm preflight'"),
        PostgresErrorCodes.UndefinedColumn => new Fault(
            FaultKind.Configuration, "missing-column", error.MessageText, "Add the column, or use 'exclude:' or 'rename:' for it, then run 'cdcm preflight'"),
        PostgresErrorCodes.InsufficientPrivilege => new Fault(
            FaultKind.Configuration, "permission", $"The role lacks a right: {error.MessageText}", "Grant it to the migration's role; 'cdcm preflight' lists what is needed"),
        PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.ExclusionViolation or PostgresErrorCodes.CardinalityViolation => new Fault(
            FaultKind.Poison, "unique-conflict", Join(error)),
        PostgresErrorCodes.NotNullViolation => new Fault(
            FaultKind.Poison, "not-null", WithoutRow(error), "Give the target's column a default, or drop its NOT NULL, if the source allows NULL there; the lane then goes on by itself"),
        PostgresErrorCodes.CheckViolation => new Fault(
            FaultKind.Poison, "check", WithoutRow(error), "The target's constraint refuses a row of the source: loosen it; the lane then goes on by itself"),
        { Length: 5 } state when state.StartsWith("22", StringComparison.Ordinal) || state is
            PostgresErrorCodes.DatatypeMismatch or PostgresErrorCodes.CannotCoerce or PostgresErrorCodes.ProgramLimitExceeded => new Fault(
            FaultKind.Poison, "bad-value", Join(error), "Make the target's column able to hold the source's value; the lane then goes on by itself"),
        { Length: 5 } state when state.StartsWith("23", StringComparison.Ordinal) => new Fault(
            FaultKind.Poison, "constraint", Join(error), "Loosen the target's constraint; the lane then goes on by itself"),
        { Length: 5 } state when state.StartsWith("08", StringComparison.Ordinal) => new Fault(
            FaultKind.Transient, "connection-lost", error.MessageText, "It is retried"),
        { Length: 5 } state when state.StartsWith("53", StringComparison.Ordinal) || state.StartsWith("58", StringComparison.Ordinal) || state.StartsWith("57", StringComparison.Ordinal) =>
            new Fault(FaultKind.Unreachable, "server-resources", $"{error.SqlState}: {error.MessageText}", "See the server's log; it is retried"),
        { Length: 5 } state when state.StartsWith("42", StringComparison.Ordinal) || state.StartsWith("0A", StringComparison.Ordinal) || state.StartsWith("55", StringComparison.Ordinal) =>
            new Fault(FaultKind.Configuration, "target-schema", $"{error.SqlState}: {error.MessageText}", "Run 'cdcm preflight': the target's schema does not fit"),
        _ => new Fault(FaultKind.Internal, "postgres-error", $"{error.SqlState}: {error.MessageText}"),
    };

    private static Fault Unreachable(string why) => new(
        FaultKind.Unreachable, "unreachable", $"PostgreSQL does not answer: {why}", "Check host, port and network; it is retried while running");

    private static bool IsNameless(Exception exception) =>
        (exception as SocketException ?? exception.InnerException) is SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData };

    private static bool IsConnecting(NpgsqlException error) =>
        error.Message.StartsWith("Failed to connect", StringComparison.Ordinal) || error.Message.StartsWith("The operation has timed out", StringComparison.Ordinal)
        || error.Message.StartsWith("Exception while connecting", StringComparison.Ordinal);

    private static string Join(PostgresException error) =>
        string.IsNullOrEmpty(error.Detail) ? WithoutRow(error) : $"{WithoutRow(error)}: {error.Detail}";

    /// <summary>Of some errors the detail is the whole row, which belongs into no log.</summary>
    private static string WithoutRow(PostgresException error) => $"{error.MessageText}{Column(error)}";

    private static string Column(PostgresException error) => string.IsNullOrEmpty(error.ColumnName) ? "" : $" (column {error.ColumnName})";

    private static string Innermost(Exception exception)
    {
        while (exception.InnerException is not null)
        {
            exception = exception.InnerException;
        }

        return exception.Message;
    }
}
