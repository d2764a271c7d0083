using Microsoft.Extensions.Logging;

namespace CdcMigrator.Embedded;

/// <summary>Log messages of this project.</summary>
internal static partial class EmbeddedEvents
{
    [LoggerMessage(1, LogLevel.Information, "Embedded log {Incarnation} of {Migration} starts in phase {Phase} on {BootstrapServers}, slot {Slot}")]
    public static partial void LogStarted(this ILogger logger, string incarnation, string migration, EmbeddedLogPhase phase, string bootstrapServers, string slot);

    [LoggerMessage(2, LogLevel.Warning, "The snapshot of {Migration} was interrupted and starts over; the target's tables are cleared")]
    public static partial void LogSnapshotRestart(this ILogger logger, string migration);

    [LoggerMessage(3, LogLevel.Information, "All rows of {Migration} are in the target; changes stream from {Lsn}")]
    public static partial void LogSnapshotDone(this ILogger logger, string migration, string lsn);

    [LoggerMessage(4, LogLevel.Warning, "Embedded log of {Migration}: {Fault}; retrying")]
    public static partial void LogRetry(this ILogger logger, string migration, string fault);

    [LoggerMessage(5, LogLevel.Error, "Embedded log of {Migration} stopped: {Fault}")]
    public static partial void LogStopped(this ILogger logger, Exception exception, string migration, string fault);

    [LoggerMessage(6, LogLevel.Information, "Reading slot {Slot} from {Lsn}")]
    public static partial void LogConnected(this ILogger logger, string slot, string lsn);

    [LoggerMessage(7, LogLevel.Warning, "Slot {Slot} of the passive log of {Migration} was missing or unusable and is created anew; nothing was to be published")]
    public static partial void LogPassiveSlot(this ILogger logger, string slot, string migration);

    [LoggerMessage(8, LogLevel.Information, "Embedded log of {Migration} is now {Phase} from {Lsn}")]
    public static partial void LogPhase(this ILogger logger, string migration, EmbeddedLogPhase phase, string lsn);
}
