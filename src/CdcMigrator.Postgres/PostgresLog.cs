using CdcMigrator.Domain.Log;
using Microsoft.Extensions.Logging;

namespace CdcMigrator.Postgres;

/// <summary>Log messages of the target's side.</summary>
internal static partial class PostgresLog
{
    [LoggerMessage(2001, LogLevel.Warning, "Lane {Lane}: ended session {Pid} ({Application}, {State}), a former owner that still held it")]
    public static partial void OwnerEnded(ILogger log, LaneId lane, int pid, string application, string state);

    [LoggerMessage(2002, LogLevel.Warning, "Lane {Lane}: session {Pid} ({Application}, {State}) holds the lane's progress row; it is not ours, so it is waited for")]
    public static partial void ClaimBlocked(ILogger log, LaneId lane, int pid, string application, string state);

    [LoggerMessage(2003, LogLevel.Information, "Lane {Lane}: batch [{From},{To}) is applied in parts: {Reason}")]
    public static partial void BatchSplit(ILogger log, LaneId lane, long from, long to, string reason);

    [LoggerMessage(2004, LogLevel.Information, "Lane {Lane} offset {Offset}: waits for a unique value another lane has yet to free: {Reason}")]
    public static partial void UniqueWait(ILogger log, LaneId lane, long offset, string reason);

    [LoggerMessage(2005, LogLevel.Information, "Lane {Lane} offset {Offset}: replaced by the source's present row, as the row that holds its unique value is newer")]
    public static partial void Superseded(ILogger log, LaneId lane, long offset);

    [LoggerMessage(2006, LogLevel.Warning, "Lane {Lane} offset {Offset}: the source could not be asked whether the change is superseded: {Reason}")]
    public static partial void SourceNotAsked(ILogger log, LaneId lane, long offset, string reason);

    [LoggerMessage(2007, LogLevel.Information, "Lane {Lane} offset {Offset}: row {Key} of {Table} is removed until its own change comes: the source has freed its unique value")]
    public static partial void HolderRemoved(ILogger log, LaneId lane, long offset, string table, string key);
}
