using CdcMigrator.Domain.Faults;
using MySqlConnector;

namespace CdcMigrator.MariaDb.Faults;

/// <summary>Turns what MySqlConnector throws into faults: who can act, a stable code, what to do.</summary>
public static class MariaDbFaults
{
    /// <summary>The fault an exception stands for.</summary>
    public static Fault Classify(MySqlException exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return exception.ErrorCode switch
        {
            MySqlErrorCode.UnableToConnectToHost or MySqlErrorCode.TooManyUserConnections or MySqlErrorCode.ConnectionCountError => new Fault(
                FaultKind.Unreachable, "unreachable", $"The source does not answer: {Innermost(exception)}", "Check host, port and network; it is retried while running"),
            MySqlErrorCode.AccessDenied => new Fault(
                FaultKind.Configuration, "authentication", $"The source refuses the login: {exception.Message}", "Check user and password of the connection string"),
            MySqlErrorCode.DatabaseAccessDenied or MySqlErrorCode.TableAccessDenied or MySqlErrorCode.ColumnAccessDenied or MySqlErrorCode.SpecifiedAccessDeniedError => new Fault(
                FaultKind.Configuration, "permission", $"The role lacks a right in the source: {exception.Message}", "Grant it to the migration's role; 'cdcm preflight' lists what is needed"),
            MySqlErrorCode.UnknownDatabase or MySqlErrorCode.NoSuchTable => new Fault(
                FaultKind.Configuration, "missing-table", $"In the source: {exception.Message}", "Create it, or correct 'tables:' in the migration file, then run 'cdcm preflight'"),
            MySqlErrorCode.BadFieldError => new Fault(
                FaultKind.Configuration, "missing-column", $"In the source: {exception.Message}", "Use 'exclude:' or 'rename:' for it, then run 'cdcm preflight'"),
            MySqlErrorCode.LockWaitTimeout or MySqlErrorCode.LockDeadlock or MySqlErrorCode.QueryInterrupted => new Fault(
                FaultKind.Transient, "source-busy", exception.Message, "It is retried"),
            MySqlErrorCode.None or MySqlErrorCode.ServerShutdown or MySqlErrorCode.NetReadError or MySqlErrorCode.NetReadInterrupted
                or MySqlErrorCode.CommandTimeoutExpired => Lost(exception),
            _ => exception.IsTransient || exception.InnerException is IOException or System.Net.Sockets.SocketException
                ? Lost(exception)
                : new Fault(FaultKind.Configuration, "source-query", $"The source refuses a query ({exception.Number}): {exception.Message}", "Run 'cdcm preflight'"),
        };
    }

    /// <summary>The fault as an exception, with the original inside.</summary>
    public static FaultException ToException(MySqlException exception) => new(Classify(exception), exception);

    private static Fault Lost(MySqlException exception) =>
        new(FaultKind.Transient, "connection-lost", $"The connection to the source broke: {Innermost(exception)}", "It is retried");

    private static string Innermost(Exception exception)
    {
        while (exception.InnerException is not null)
        {
            exception = exception.InnerException;
        }

        return exception.Message;
    }
}
