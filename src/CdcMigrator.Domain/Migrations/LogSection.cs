namespace CdcMigrator.Domain.Migrations;

/// <summary>The log between reader and applier.</summary>
public sealed record LogSection
{
    /// <summary>Kafka or embedded.</summary>
    public LogKind Kind { get; init; } = LogKind.Kafka;

    /// <summary>Kafka bootstrap servers; empty for the embedded log.</summary>
    public string BootstrapServers { get; init; } = "";

    /// <summary>Debezium's <c>topic.prefix</c>. Topics are <c>prefix.schema.table</c>.</summary>
    public required string TopicPrefix { get; init; }

    /// <summary>Serialisation of keys and values.</summary>
    public LogFormat Format { get; init; } = LogFormat.Json;

    /// <summary>Base address of a Confluent-compatible schema registry; null for JSON.</summary>
    public Uri? SchemaRegistry { get; init; }

    /// <summary>Consumer group; processes of one group share the partitions.</summary>
    public string Group { get; init; } = "";

    /// <summary>Connector settings that decide what values mean, wanted where Connect is not configured: <c>time.precision.mode</c>, …</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>Settings passed to librdkafka's consumer as they are (TLS, SASL, …).</summary>
    public IReadOnlyDictionary<string, string> Client { get; init; } = new Dictionary<string, string>();
}
