using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Debezium;

/// <summary>Reads <see cref="DebeziumSettings"/> from a connector's configuration.</summary>
internal static class ConnectorConfig
{
    /// <summary>Reads a configuration; every mode that is not known is refused, because values would be misread under it.</summary>
    public static DebeziumSettings Read(IReadOnlyDictionary<string, string> config)
    {
        ArgumentNullException.ThrowIfNull(config);
        var prefix = config.GetValueOrDefault("topic.prefix", "");
        if (prefix.Length == 0)
        {
            throw Unknown("topic.prefix", "", "the connector's topic prefix");
        }

        var mySql = IsMySql(config.GetValueOrDefault("connector.class", ""));
        var delimiter = config.GetValueOrDefault("topic.delimiter", ".");
        return new DebeziumSettings
        {
            TopicPrefix = prefix,
            Time = Time(config, mySql),
            Decimals = Mode(config, "decimal.handling.mode", DecimalHandlingMode.Precise, [
                ("precise", DecimalHandlingMode.Precise), ("string", DecimalHandlingMode.Text), ("double", DecimalHandlingMode.Double)]),
            Binary = Mode(config, "binary.handling.mode", BinaryHandlingMode.Bytes, [
                ("bytes", BinaryHandlingMode.Bytes), ("base64", BinaryHandlingMode.Base64),
                ("base64-url-safe", BinaryHandlingMode.Base64UrlSafe), ("hex", BinaryHandlingMode.Hex)]),
            Intervals = Mode(config, "interval.handling.mode", IntervalHandlingMode.Numeric, [
                ("numeric", IntervalHandlingMode.Numeric), ("string", IntervalHandlingMode.Text)]),
            Hstore = Mode(config, "hstore.handling.mode", HstoreHandlingMode.Json, [
                ("json", HstoreHandlingMode.Json), ("map", HstoreHandlingMode.Map)]),
            FieldNames = Mode(config, "field.name.adjustment.mode", FieldNameAdjustment.None, [
                ("none", FieldNameAdjustment.None), ("avro", FieldNameAdjustment.Avro), ("avro_unicode", FieldNameAdjustment.AvroUnicode)]),
            UnavailablePlaceholder = config.GetValueOrDefault("unavailable.value.placeholder", "__debezium_unavailable_value"),
            UnknownTypesIncluded = Flag(config, "include.unknown.datatypes"),
            IsMySqlFamily = mySql,
            NullsBecomeDefaults = NullsBecomeDefaults(config),
            HeartbeatTopic = config.GetValueOrDefault("topic.heartbeat.name")
                ?? config.GetValueOrDefault("topic.heartbeat.prefix", "__debezium-heartbeat") + delimiter + prefix,
            TransactionTopic = prefix + delimiter + config.GetValueOrDefault("topic.transaction", "transaction"),
            SignalTable = Signal(config.GetValueOrDefault("signal.data.collection", "")),
        };
    }

    private static bool IsMySql(string connectorClass) =>
        connectorClass.Contains("mysql", StringComparison.OrdinalIgnoreCase) || connectorClass.Contains("mariadb", StringComparison.OrdinalIgnoreCase);

    private static TimePrecisionMode Time(IReadOnlyDictionary<string, string> config, bool mySql) => Mode(
        config, "time.precision.mode", mySql ? TimePrecisionMode.AdaptiveTimeMicroseconds : TimePrecisionMode.Adaptive, [
            ("adaptive", TimePrecisionMode.Adaptive), ("adaptive_time_microseconds", TimePrecisionMode.AdaptiveTimeMicroseconds),
            ("microseconds", TimePrecisionMode.Microseconds), ("nanoseconds", TimePrecisionMode.Nanoseconds),
            ("isostring", TimePrecisionMode.IsoString), ("connect", TimePrecisionMode.Connect), ("structured", TimePrecisionMode.Structured)]);

    /// <summary>JsonConverter replaces unless told not to; Confluent's Avro converter likewise; Apicurio's has no setting against it (observed).</summary>
    private static bool? NullsBecomeDefaults(IReadOnlyDictionary<string, string> config)
    {
        var converter = config.GetValueOrDefault("value.converter", "");
        if (converter.Contains("apicurio", StringComparison.OrdinalIgnoreCase) && converter.Contains("avro", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        if (converter.Contains("AvroConverter", StringComparison.Ordinal))
        {
            return !Flag(config, "value.converter.ignore.default.for.nullables");
        }

        return config.TryGetValue("value.converter.replace.null.with.default", out var replace)
            ? !replace.Equals("false", StringComparison.OrdinalIgnoreCase)
            : converter.Length == 0 ? null : true;
    }

    private static bool Flag(IReadOnlyDictionary<string, string> config, string key) =>
        config.GetValueOrDefault(key, "").Equals("true", StringComparison.OrdinalIgnoreCase);

    /// <summary>PostgreSQL's collections may be named with their database in front; events carry schema and table only.</summary>
    private static TableName? Signal(string collection)
    {
        var parts = collection.Split('.');
        return parts.Length < 2 ? null : new TableName(parts[^2], parts[^1]);
    }

    private static T Mode<T>(IReadOnlyDictionary<string, string> config, string key, T missing, (string Name, T Mode)[] known)
    {
        if (!config.TryGetValue(key, out var value) || value.Length == 0)
        {
            return missing;
        }

        foreach (var (name, mode) in known)
        {
            if (name.Equals(value.Trim(), StringComparison.OrdinalIgnoreCase))
            {
                return mode;
            }
        }

        throw Unknown(key, value, string.Join(", ", known.Select(mode => mode.Name)));
    }

    private static FaultException Unknown(string key, string value, string wanted) => new(
        FaultKind.Configuration,
        "connector-setting",
        $"Connector setting {key} is '{value}', which cannot be decoded",
        $"Set {key} to one of: {wanted}");
}
