using CdcMigrator.Domain.Faults;
using Confluent.Kafka;

namespace CdcMigrator.Streaming.Consuming;

/// <summary>What errors of the Kafka client mean to us.</summary>
internal static class GroupErrors
{
    public const string BrokerDown = "log-unreachable";

    /// <summary>Whether the broker, or its settings, lack the group protocol 'consumer'.</summary>
    public static bool IsProtocolUnsupported(Error error) =>
        error.Code is ErrorCode.Local_UnsupportedFeature or ErrorCode.UnsupportedVersion
        || error.Reason.Contains("ConsumerGroupHeartbeat", StringComparison.OrdinalIgnoreCase)
        || error.Reason.Contains("not supported", StringComparison.OrdinalIgnoreCase);

    /// <summary>The fault to show; null for what librdkafka mends by itself and need not be seen.</summary>
    public static Fault? FaultOf(Error error, StreamingOptions options) => FaultOf(error, options.BootstrapServers, options.Group);

    /// <summary>The same for a client that is told apart by these.</summary>
    public static Fault? FaultOf(Error error, string bootstrapServers, string group) => error.Code switch
    {
        ErrorCode.Local_AllBrokersDown or ErrorCode.Local_Resolve => new Fault(
            FaultKind.Unreachable, BrokerDown, $"No broker of {bootstrapServers} answers: {error.Reason}", "Check log.bootstrapServers and that the brokers run."),
        ErrorCode.Local_Authentication or ErrorCode.SaslAuthenticationFailed or ErrorCode.Local_Ssl => new Fault(
            FaultKind.Unreachable, "log-authentication", $"Kafka refuses the connection: {error.Reason}", "Check the security settings in log.client."),
        ErrorCode.TopicAuthorizationFailed or ErrorCode.GroupAuthorizationFailed or ErrorCode.ClusterAuthorizationFailed => new Fault(
            FaultKind.Unreachable, "log-not-authorized", $"Kafka denies access: {error.Reason}", $"Allow this user to read the topics and group {group}."),
        _ when error.IsFatal => new Fault(FaultKind.Unreachable, "log-client-failed", $"The Kafka client gave up and starts again: {error.Reason}"),
        _ => null,
    };
}
