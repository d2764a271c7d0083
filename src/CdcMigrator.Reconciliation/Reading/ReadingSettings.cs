using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Reconciliation.Reading;

/// <summary>
/// What the reconciler has to know of a connector to read its records: read from the same configuration as the applier's settings, but by
/// code of its own. What is not known is not refused: keys that depend on it are not told then.
/// </summary>
public sealed record ReadingSettings
{
    /// <summary>Debezium's <c>topic.prefix</c>.</summary>
    public required string TopicPrefix { get; init; }

    /// <summary>Debezium's <c>topic.delimiter</c>.</summary>
    public string TopicDelimiter { get; init; } = ".";

    /// <summary>How dates and times are written.</summary>
    public TimeEncoding Times { get; init; } = TimeEncoding.Adaptive;

    /// <summary>How numerics are written.</summary>
    public DecimalEncoding Decimals { get; init; } = DecimalEncoding.Precise;

    /// <summary>How bytes are written.</summary>
    public BinaryEncoding Binary { get; init; } = BinaryEncoding.Bytes;

    /// <summary>How names of columns are written.</summary>
    public NameEncoding Names { get; init; } = NameEncoding.Plain;

    /// <summary>MariaDB's and MySQL's <c>bigint unsigned</c> is a signed number that wraps (<c>bigint.unsigned.handling.mode=long</c>, the default).</summary>
    public bool UnsignedWraps { get; init; } = true;

    /// <summary>The source is MariaDB or MySQL.</summary>
    public bool IsMySqlFamily { get; init; }

    /// <summary>The embedded log: every value is a string of PostgreSQL's own output text.</summary>
    public bool PlainText { get; init; }

    /// <summary>The table of markers.</summary>
    public TableName Fence { get; init; } = new("cdc_migrator", "fence");

    /// <summary>Settings of the embedded log under a topic prefix.</summary>
    public static ReadingSettings ForEmbeddedLog(string topicPrefix) => new() { TopicPrefix = topicPrefix, PlainText = true };

    /// <summary>Settings of a connector, with Debezium's defaults for what its configuration does not name.</summary>
    public static ReadingSettings FromConnector(IReadOnlyDictionary<string, string> config)
    {
        ArgumentNullException.ThrowIfNull(config);
        var engine = Value("connector.class");
        var mySql = engine.Contains("mysql", StringComparison.Ordinal) || engine.Contains("mariadb", StringComparison.Ordinal);
        return new ReadingSettings
        {
            TopicPrefix = config.GetValueOrDefault("topic.prefix", ""),
            TopicDelimiter = config.GetValueOrDefault("topic.delimiter", "."),
            IsMySqlFamily = mySql,
            UnsignedWraps = Value("bigint.unsigned.handling.mode") is "" or "long",
            Times = Value("time.precision.mode") switch
            {
                "" => mySql ? TimeEncoding.AdaptiveTimeMicroseconds : TimeEncoding.Adaptive,
                "adaptive" => TimeEncoding.Adaptive,
                "adaptive_time_microseconds" => TimeEncoding.AdaptiveTimeMicroseconds,
                "microseconds" => TimeEncoding.Microseconds,
                "nanoseconds" => TimeEncoding.Nanoseconds,
                "connect" => TimeEncoding.Connect,
                "isostring" => TimeEncoding.IsoString,
                _ => TimeEncoding.Unknown,
            },
            Decimals = Value("decimal.handling.mode") switch
            {
                "" or "precise" => DecimalEncoding.Precise,
                "string" => DecimalEncoding.Text,
                "double" => DecimalEncoding.Double,
                _ => DecimalEncoding.Unknown,
            },
            Binary = Value("binary.handling.mode") switch
            {
                "" or "bytes" => BinaryEncoding.Bytes,
                "base64" => BinaryEncoding.Base64,
                "base64-url-safe" => BinaryEncoding.Base64Url,
                "hex" => BinaryEncoding.Hex,
                _ => BinaryEncoding.Unknown,
            },
            Names = Value("field.name.adjustment.mode") switch
            {
                "avro" => NameEncoding.Underscores,
                "avro_unicode" => NameEncoding.Unicode,
                _ => NameEncoding.Plain,
            },
        };

        string Value(string key) => config.GetValueOrDefault(key, "").Trim().ToLowerInvariant();
    }
}
