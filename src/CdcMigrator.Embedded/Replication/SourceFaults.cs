using System.Net.Sockets;
using CdcMigrator.Domain.Faults;
using Npgsql;

namespace CdcMigrator.Embedded.Replication;

/// <summary>What an exception of the source means for the log.</summary>
internal static class SourceFaults
{
    private const string Rebuild = "Changes since the last confirmed position are gone from the source; move the tables anew";

    /// <summary>The fault of an exception. Only <see cref="FaultKind.Unreachable"/> and <see cref="FaultKind.Transient"/> may be retried.</summary>
    public static Fault Of(Exception exception, string slot) => exception switch
    {
        FaultException known => known.Fault,
        PostgresException { SqlState: PostgresErrorCodes.ObjectInUse } used =>
            new Fault(FaultKind.Transient, "slot-in-use", $"Replication slot {slot} is held by another process: {used.MessageText}", "Stop the other process that reads it"),
        PostgresException { SqlState: PostgresErrorCodes.UndefinedObject } missing =>
            new Fault(FaultKind.LogBroken, "slot-lost", $"The source lost what the log reads: {missing.MessageText}", Rebuild),
        PostgresException { SqlState: PostgresErrorCodes.ObjectNotInPrerequisiteState } invalid =>
            new Fault(FaultKind.LogBroken, "slot-lost", $"Replication slot {slot} cannot be read any more: {invalid.MessageText}", Rebuild),
        PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege } denied =>
            new Fault(FaultKind.Configuration, "source-privilege", $"The source refuses: {denied.MessageText}",
                "Give the migration's role REPLICATION, ownership of the tables (or of the publication) and SELECT on them"),
        PostgresException { SqlState: PostgresErrorCodes.DuplicateObject } =>
            new Fault(FaultKind.Transient, "slot-in-use", $"Replication slot {slot} was created by another process", "Stop the other process that reads it"),
        PostgresException { SqlState: PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow } down =>
            new Fault(FaultKind.Unreachable, "source-unreachable", $"The source does not answer: {down.MessageText}"),
        PostgresException other => new Fault(FaultKind.Transient, "source-error", $"The source refused a request of the log: {other.SqlState} {other.MessageText}"),
        NpgsqlException or IOException or TimeoutException or SocketException => new Fault(FaultKind.Unreachable, "source-unreachable", $"The source does not answer: {exception.Message}"),
        _ => new Fault(FaultKind.Transient, "source-error", $"Reading the source failed: {exception.GetType().Name}: {exception.Message}"),
    };
}
