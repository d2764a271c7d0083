using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Debezium;

/// <summary>What the values of a connector's events mean: its settings as far as decoding depends on them. Immutable.</summary>
public sealed record DebeziumSettings
{
    /// <summary>Debezium's <c>topic.prefix</c>; also the topic of MariaDB's schema changes.</summary>
    public required string TopicPrefix { get; init; }

    /// <summary>How dates, times and timestamps are written.</summary>
    public TimePrecisionMode Time { get; init; } = TimePrecisionMode.Adaptive;

    /// <summary>How numeric and money are written.</summary>
    public DecimalHandlingMode Decimals { get; init; } = DecimalHandlingMode.Precise;

    /// <summary>How bytea, and types Debezium does not know, are written.</summary>
    public BinaryHandlingMode Binary { get; init; } = BinaryHandlingMode.Bytes;

    /// <summary>How intervals are written.</summary>
    public IntervalHandlingMode Intervals { get; init; } = IntervalHandlingMode.Numeric;

    /// <summary>How hstore is written.</summary>
    public HstoreHandlingMode Hstore { get; init; } = HstoreHandlingMode.Json;

    /// <summary>What stands in place of an unchanged TOAST value; <c>hex:</c> before hexadecimal bytes, as Debezium takes it.</summary>
    public string UnavailablePlaceholder { get; init; } = "__debezium_unavailable_value";

    /// <summary>Whether types that Debezium does not know are in the events (<c>include.unknown.datatypes</c>).</summary>
    public bool UnknownTypesIncluded { get; init; }

    /// <summary>The source is MariaDB or MySQL.</summary>
    public bool IsMySqlFamily { get; init; }

    /// <summary>What became of column names in schemas.</summary>
    public FieldNameAdjustment FieldNames { get; init; } = FieldNameAdjustment.None;

    /// <summary>
    /// Whether the converter writes an explicit NULL of a nullable column with a default as that default; null where the
    /// settings do not say. Such values are then not taken from the event.
    /// </summary>
    public bool? NullsBecomeDefaults { get; init; }

    /// <summary>Topic of the connector's heartbeats.</summary>
    public string HeartbeatTopic { get; init; } = "";

    /// <summary>Topic of BEGIN and END records.</summary>
    public string TransactionTopic { get; init; } = "";

    /// <summary>The table of markers and lineage heartbeats.</summary>
    public TableName FenceTable { get; init; } = new("cdc_migrator", "fence");

    /// <summary>Debezium's signal table; null where it has none.</summary>
    public TableName? SignalTable { get; init; }

    /// <summary>
    /// The embedded log: Debezium's envelope, every column value a JSON string with PostgreSQL's own text form, or null; an
    /// empty array means unavailable. The modes above do not matter then.
    /// </summary>
    public bool PlainText { get; init; }

    /// <summary>Settings of the embedded log under a topic prefix.</summary>
    public static DebeziumSettings ForEmbeddedLog(string topicPrefix) => new()
    {
        TopicPrefix = topicPrefix,
        HeartbeatTopic = $"__debezium-heartbeat.{topicPrefix}",
        TransactionTopic = $"{topicPrefix}.transaction",
        PlainText = true,
        NullsBecomeDefaults = false,
    };

    /// <summary>Reads a connector's configuration, with Debezium's defaults for what it does not name.</summary>
    /// <exception cref="Domain.Faults.FaultException">Configuration: a mode has a value that is not known, or <c>topic.prefix</c> is missing.</exception>
    public static DebeziumSettings FromConnector(IReadOnlyDictionary<string, string> config) => ConnectorConfig.Read(config);
}
