using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;

namespace CdcMigrator.Streaming.Lanes;

/// <summary>What the poll thread hands to a lane, in offset order: a record, a stretch proven to hold none, or the reason why nothing follows.</summary>
internal readonly record struct LogEntry(LogRecord? Record, long NextOffset, Fault? Fault)
{
    public static LogEntry Of(LogRecord record) => new(record, record.Offset + 1, null);

    public static LogEntry SkipTo(long nextOffset) => new(null, nextOffset, null);

    public static LogEntry Of(Fault fault) => new(null, -1, fault);
}
