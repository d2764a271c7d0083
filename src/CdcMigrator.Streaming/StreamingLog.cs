using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using Microsoft.Extensions.Logging;

namespace CdcMigrator.Streaming;

/// <summary>Everything the data path says in the log.</summary>
internal static partial class StreamingLog
{
    [LoggerMessage(100, LogLevel.Information, "Consuming {Topics} topics in group {Group} with group protocol {Protocol}")]
    public static partial void Consuming(ILogger log, int topics, string group, string protocol);

    [LoggerMessage(101, LogLevel.Warning, "The broker lacks group protocol 'consumer' ({Reason}); using 'classic'")]
    public static partial void ClassicProtocol(ILogger log, string reason);

    [LoggerMessage(102, LogLevel.Warning, "Kafka client: {Code} {Reason}")]
    public static partial void ClientError(ILogger log, string code, string reason);

    [LoggerMessage(103, LogLevel.Error, "The poll thread failed and starts again")]
    public static partial void PollFailed(ILogger log, Exception exception);

    [LoggerMessage(104, LogLevel.Information, "Waiting for topics the broker does not have yet: {Topics}")]
    public static partial void TopicsMissing(ILogger log, string topics);

    [LoggerMessage(105, LogLevel.Warning, "The log cannot be checked: {Fault}")]
    public static partial void LogUnreachable(ILogger log, Fault fault);

    [LoggerMessage(106, LogLevel.Debug, "librdkafka: {Message}")]
    public static partial void ClientMessage(ILogger log, string message);

    [LoggerMessage(110, LogLevel.Information, "Lane {Lane} claimed at offset {Offset} with epoch {Epoch}")]
    public static partial void LaneClaimed(ILogger log, LaneId lane, long offset, long epoch);

    [LoggerMessage(111, LogLevel.Information, "Lane {Lane} belongs to another owner now")]
    public static partial void LaneFenced(ILogger log, LaneId lane);

    [LoggerMessage(112, LogLevel.Warning, "Lane {Lane} retries after {Code}: {Fault}")]
    public static partial void LaneRetries(ILogger log, LaneId lane, string code, Fault fault);

    [LoggerMessage(113, LogLevel.Error, "Lane {Lane} halted by {Code}: {Fault}")]
    public static partial void LaneHalted(ILogger log, LaneId lane, string code, Fault fault);

    [LoggerMessage(114, LogLevel.Information, "Lane {Lane} got past {Code} after {Attempts} attempts")]
    public static partial void LaneRecovered(ILogger log, LaneId lane, string code, int attempts);

    [LoggerMessage(115, LogLevel.Information, "Lane {Lane}: offsets {From} to {To} hold no records for consumers (control or aborted records; read twice)")]
    public static partial void GapProven(ILogger log, LaneId lane, long from, long to);

    [LoggerMessage(116, LogLevel.Information, "Lanes revoked: {Lanes}; in time: {InTime}")]
    public static partial void LanesRevoked(ILogger log, int lanes, bool inTime);

    [LoggerMessage(117, LogLevel.Information, "Lanes assigned: {Lanes}")]
    public static partial void LanesAssigned(ILogger log, int lanes);

    [LoggerMessage(118, LogLevel.Debug, "Lane {Lane}: batch [{From}, {Next}) with {Changes} changes committed")]
    public static partial void BatchCommitted(ILogger log, LaneId lane, long from, long next, int changes);

    [LoggerMessage(119, LogLevel.Warning, "Lane {Lane} offset {Offset}: {Row} is a dead letter now: {Code}: {Reason}. See 'cdcm dlq list'")]
    public static partial void Parked(ILogger log, LaneId lane, long offset, ChangeKey row, string code, string reason);

    [LoggerMessage(120, LogLevel.Information, "Lane {Lane} is closed: the migration does not go this way now")]
    public static partial void LaneClosed(ILogger log, LaneId lane);

    [LoggerMessage(121, LogLevel.Information, "Lane {Lane} is held: {Why}")]
    public static partial void LaneHeld(ILogger log, LaneId lane, string why);

    [LoggerMessage(130, LogLevel.Error, "The thread that follows the log failed and starts again")]
    public static partial void FollowerFailed(ILogger log, Exception exception);

    [LoggerMessage(131, LogLevel.Warning, "The record at {Lane} offset {Offset} is shown again, for its observer failed: {Fault}")]
    public static partial void ObserverFails(ILogger log, LaneId lane, long offset, Fault fault);

    [LoggerMessage(132, LogLevel.Error, "{Lane} is not followed any further: {Fault}")]
    public static partial void FollowingEnds(ILogger log, LaneId lane, Fault fault);
}
