using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Service.Runtime;

/// <summary>Everything the process as a whole says.</summary>
internal static partial class RuntimeLog
{
    [LoggerMessage(1001, LogLevel.Information, "migration {Migration}: {Tables} tables, log at {BootstrapServers}")]
    public static partial void Started(ILogger log, string migration, int tables, string bootstrapServers);

    [LoggerMessage(1002, LogLevel.Warning, "waiting to start: {Fault}")]
    public static partial void Waiting(ILogger log, Fault fault);

    [LoggerMessage(1003, LogLevel.Information, "stopping: batches in flight are finished first")]
    public static partial void Stopping(ILogger log);

    [LoggerMessage(1004, LogLevel.Information, "stopped")]
    public static partial void Stopped(ILogger log);

    [LoggerMessage(1005, LogLevel.Information, "the target's tables were read again: {Change}")]
    public static partial void RoutesChanged(ILogger log, string change);

    [LoggerMessage(1006, LogLevel.Warning, "{What} could not be sampled: {Fault}")]
    public static partial void SampleFailed(ILogger log, string what, Fault fault);

    [LoggerMessage(1007, LogLevel.Warning, "{Code}: {Finding}")]
    public static partial void SourceFinding(ILogger log, string code, string finding);

    [LoggerMessage(1008, LogLevel.Warning, "the default of {Column} of {Table} changed in the source: a zero date written since the catalog was last read may have arrived as that default in JSON without schemas; compare the column")]
    public static partial void ZeroDateDefaultChanged(ILogger log, TableName table, string column);

    [LoggerMessage(1009, LogLevel.Warning, "check of {Kind}: {State}: {Names}; 'cdcm verify checks' shows it")]
    public static partial void CheckFailed(ILogger log, CheckKind kind, CheckState state, string names);

    [LoggerMessage(1010, LogLevel.Warning, "what was verified of {Table} counts no more: {Reason}; 'cdcm verify start' compares it again")]
    public static partial void CoverageDropped(ILogger log, TableName table, string reason);

    [LoggerMessage(1011, LogLevel.Warning, "{Connector} is restarted ({Count} of {Limit} times in a row), for it has failed: {Cause}")]
    public static partial void ConnectorRestarted(ILogger log, string connector, int count, int limit, string cause);

    [LoggerMessage(1012, LogLevel.Warning, "{Connector} has failed and could not be restarted: {Fault}")]
    public static partial void ConnectorNotRestarted(ILogger log, string connector, Fault fault);

    [LoggerMessage(1020, LogLevel.Warning, "the fence of the {Side} is lifted: the attempt {Token} that closed it has not renewed its lease; applications write there again")]
    public static partial void FenceLifted(ILogger log, string side, string token);

    [LoggerMessage(1021, LogLevel.Warning, "the {Side} is opened: the attempt {Token} had sealed the other side and did not go on")]
    public static partial void SideOpened(ILogger log, string side, string token);

    [LoggerMessage(1029, LogLevel.Critical, "two sides were open: the {Side}, open since attempt number {Epoch}, is closed, for attempt {Token}, number {Later}, opened the other one later; what was written there since is carried over by nobody. Compare both sides, and find out whether that one is an older copy of itself")]
    public static partial void SideShut(ILogger log, string side, long epoch, long later, string token);

    [LoggerMessage(1032, LogLevel.Critical, "both sides deny writes: the attempt {Token} has left the other side for the {Side}; {Fault}")]
    public static partial void SideWaits(ILogger log, string side, string token, Fault fault);

    [LoggerMessage(1033, LogLevel.Critical, "the {Side} was opened, and {What}")]
    public static partial void SideOpenedElsewhere(ILogger log, string side, string what);

    [LoggerMessage(1022, LogLevel.Information, "the way back begins: what the target commits is read too, and applied to the source from the cutover on")]
    public static partial void WayBackBegins(ILogger log);

    [LoggerMessage(1023, LogLevel.Error, "the way back has ended, and no cutover is possible without it; it is begun again by itself: {Fault}")]
    public static partial void WayBackEnded(ILogger log, Fault fault);

    [LoggerMessage(1024, LogLevel.Information, "way back: {What}")]
    public static partial void WayBackPrepared(ILogger log, string what);

    [LoggerMessage(1026, LogLevel.Warning, "applications are told to write to {End}: the process of the attempt {Token} did not")]
    public static partial void Rerouting(ILogger log, string token, string end);

    [LoggerMessage(1027, LogLevel.Information, "migration {Migration} is completed: the log's readers and the target's fence are gone, the source stays closed")]
    public static partial void Completed(ILogger log, string migration);

    [LoggerMessage(1028, LogLevel.Error, "the way forward has ended, and is begun again by itself; fences, hooks and the way back are kept on meanwhile: {Fault}")]
    public static partial void ForwardEnded(ILogger log, Fault fault);

    [LoggerMessage(1025, LogLevel.Error, "the attempt {Token} failed")]
    public static partial void AttemptFailed(ILogger log, Exception exception, string token);

    [LoggerMessage(1031, LogLevel.Error, "{Path} could not be answered")]
    public static partial void RequestFailed(ILogger log, Exception exception, string path);
}
