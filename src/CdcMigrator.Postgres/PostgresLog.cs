using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;
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

    [LoggerMessage(2011, LogLevel.Information, "Lane {Lane}: unique values up to offset {Offset} were handed over at once: {Removed} rows are removed until their own changes come, {Replaced} replaced by the source's present ones")]
    public static partial void HandedOver(ILogger log, LaneId lane, long offset, int removed, int replaced);

    [LoggerMessage(2010, LogLevel.Information, "Lane {Lane} offset {Offset}: written as the source's present row, as its reselected columns do not go with the event's others")]
    public static partial void WrittenWhole(ILogger log, LaneId lane, long offset);

    [LoggerMessage(2008, LogLevel.Information, "Column {Column} of {Table} holds {What}: it is read from the source again")]
    public static partial void ValuesReadAgain(ILogger log, TableName table, string column, string what);

    [LoggerMessage(2009, LogLevel.Warning, "Whether column {Column} of {Table} holds {What} was not decided in time; if it does, list it under 'reselect:' of its table")]
    public static partial void ValuesNotSeen(ILogger log, TableName table, string column, string what);
}
