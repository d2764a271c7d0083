namespace CdcMigrator.Reconciliation.Reading.Keys;

/// <summary>What a field's value is, from its schema or, where a record has none, from the connector's settings and the column's type.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Scale">Scale of a decimal.</param>
internal readonly record struct FieldMeaning(MeaningKind Kind, int Scale = 0)
{
    /// <summary>From the name a Connect or Avro schema gives the type.</summary>
    public static FieldMeaning Of(string? name, int? scale) => name switch
    {
        null or "io.debezium.time.Year" => default,
        "io.debezium.time.Date" or "org.apache.kafka.connect.data.Date" or "date" => new(MeaningKind.Days),
        "io.debezium.time.Time" or "org.apache.kafka.connect.data.Time" or "time-millis" => new(MeaningKind.TimeMillis),
        "io.debezium.time.MicroTime" or "time-micros" => new(MeaningKind.TimeMicros),
        "io.debezium.time.NanoTime" => new(MeaningKind.TimeNanos),
        "io.debezium.time.Timestamp" or "org.apache.kafka.connect.data.Timestamp" or "timestamp-millis" or "local-timestamp-millis" => new(MeaningKind.StampMillis),
        "io.debezium.time.MicroTimestamp" or "timestamp-micros" or "local-timestamp-micros" => new(MeaningKind.StampMicros),
        "io.debezium.time.NanoTimestamp" => new(MeaningKind.StampNanos),
        "io.debezium.time.IsoDate" => new(MeaningKind.IsoDate),
        "io.debezium.time.IsoTime" => new(MeaningKind.IsoTime),
        "io.debezium.time.IsoTimestamp" => new(MeaningKind.IsoStamp),
        "io.debezium.time.ZonedTimestamp" => new(MeaningKind.IsoZoned),
        "org.apache.kafka.connect.data.Decimal" or "decimal" => scale is { } known ? new(MeaningKind.Decimal, known) : new(MeaningKind.Unknown),
        "io.debezium.data.Enum" => new(MeaningKind.Enum),
        "io.debezium.data.Uuid" or "io.debezium.data.Ltree" or "uuid" => new(MeaningKind.NamedText),
        "io.debezium.data.Bits" => new(MeaningKind.Bits),
        _ => new(MeaningKind.Unknown),
    };

    /// <summary>What a value without a schema is.</summary>
    public static FieldMeaning Of(KeyType type, ReadingSettings settings)
    {
        if (settings.PlainText)
        {
            return new(MeaningKind.OutputText);
        }

        return type.Family switch
        {
            KeyFamily.Date => settings.Times switch
            {
                TimeEncoding.Unknown => new(MeaningKind.Unknown),
                TimeEncoding.IsoString => new(MeaningKind.IsoDate),
                _ => new(MeaningKind.Days),
            },
            KeyFamily.Time => Time(type, settings.Times),
            KeyFamily.Timestamp => Stamp(type, settings.Times),
            KeyFamily.TimestampTz => new(MeaningKind.IsoZoned),
            KeyFamily.Numeric when settings.Decimals == DecimalEncoding.Precise => type.Scale >= 0 ? new(MeaningKind.Decimal, type.Scale) : new(MeaningKind.Unknown),
            KeyFamily.Numeric when settings.Decimals == DecimalEncoding.Unknown => new(MeaningKind.Unknown),
            KeyFamily.UnsignedBig when !settings.UnsignedWraps => new(MeaningKind.Decimal),
            KeyFamily.Bits when type.Length != 1 => new(MeaningKind.Bits),
            _ => default,
        };
    }

    private static FieldMeaning Time(KeyType type, TimeEncoding times) => times switch
    {
        TimeEncoding.Adaptive => new(type.Length < 0 ? MeaningKind.Unknown : type.Length <= 3 ? MeaningKind.TimeMillis : MeaningKind.TimeMicros),
        TimeEncoding.AdaptiveTimeMicroseconds or TimeEncoding.Microseconds => new(MeaningKind.TimeMicros),
        TimeEncoding.Nanoseconds => new(MeaningKind.TimeNanos),
        TimeEncoding.Connect => new(MeaningKind.TimeMillis),
        TimeEncoding.IsoString => new(MeaningKind.IsoTime),
        _ => new(MeaningKind.Unknown),
    };

    private static FieldMeaning Stamp(KeyType type, TimeEncoding times) => times switch
    {
        TimeEncoding.Adaptive or TimeEncoding.AdaptiveTimeMicroseconds => new(type.Length < 0 ? MeaningKind.Unknown : type.Length <= 3 ? MeaningKind.StampMillis : MeaningKind.StampMicros),
        TimeEncoding.Microseconds => new(MeaningKind.StampMicros),
        TimeEncoding.Nanoseconds => new(MeaningKind.StampNanos),
        TimeEncoding.Connect => new(MeaningKind.StampMillis),
        TimeEncoding.IsoString => new(MeaningKind.IsoStamp),
        _ => new(MeaningKind.Unknown),
    };
}
