using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Debezium.Logical;

/// <summary>The schema a schemaless event must have been written with, from the target column's type and the connector's settings.</summary>
internal static class AssumedSchemas
{
    public static ConnectSchema Of(ColumnType type, DebeziumSettings settings) => OfExtension(type) ?? OfKind(type, settings);

    private static ConnectSchema OfKind(ColumnType type, DebeziumSettings settings) => type.Kind switch
    {
        ColumnKind.Boolean => new(ConnectKind.Boolean),
        ColumnKind.Integer => new(ConnectKind.Integer),
        ColumnKind.Float => new(ConnectKind.Float),
        ColumnKind.Numeric or ColumnKind.Money => settings.Decimals switch
        {
            DecimalHandlingMode.Text => new(ConnectKind.Text),
            DecimalHandlingMode.Double => new(ConnectKind.Float),
            // money has its scale in money.fraction.digits, 2 unless set; numeric's is nowhere.
            _ => new(ConnectKind.Bytes, ConnectNames.Decimal) { Scale = type.Kind == ColumnKind.Money ? 2 : null },
        },
        ColumnKind.Bytes or ColumnKind.Opaque => new(settings.Binary == BinaryHandlingMode.Bytes ? ConnectKind.Bytes : ConnectKind.Text),
        ColumnKind.Bit => type.Modifier == 1 ? new(ConnectKind.Boolean) : new(ConnectKind.Bytes, ConnectNames.Bits) { Length = type.Modifier },
        ColumnKind.Date => Date(settings),
        ColumnKind.Time => Time(type, settings),
        ColumnKind.Timestamp => Timestamp(type, settings),
        ColumnKind.TimestampTz => settings.Time == TimePrecisionMode.Structured
            ? new(ConnectKind.Struct, ConnectNames.StructuredZonedTimestamp)
            : new(ConnectKind.Text, ConnectNames.ZonedTimestamp),
        ColumnKind.Interval => Interval(settings),
        ColumnKind.Point => new(ConnectKind.Struct, ConnectNames.Point),
        ColumnKind.Hstore => settings.Hstore == HstoreHandlingMode.Map ? new(ConnectKind.Map) : new(ConnectKind.Text, ConnectNames.Json),
        ColumnKind.Array when settings.IsMySqlFamily => new(ConnectKind.Text, ConnectNames.EnumSet),
        ColumnKind.Array => new(ConnectKind.Array) { Items = type.Element is null ? null : Of(type.Element, settings) },
        _ => new(ConnectKind.Text),
    };

    /// <summary>Types of extensions that Debezium knows.</summary>
    private static ConnectSchema? OfExtension(ColumnType type) => type.Kind == ColumnKind.Array ? null : type.BaseName switch
    {
        "vector" => new(ConnectKind.Array, ConnectNames.DoubleVector),
        "halfvec" => new(ConnectKind.Array, ConnectNames.FloatVector),
        "sparsevec" => new(ConnectKind.Struct, ConnectNames.SparseDoubleVector),
        "geometry" or "geography" => new(ConnectKind.Struct, ConnectNames.Geometry),
        _ => null,
    };

    private static ConnectSchema Date(DebeziumSettings settings) => settings.Time switch
    {
        TimePrecisionMode.IsoString => new(ConnectKind.Text, ConnectNames.IsoDate),
        TimePrecisionMode.Structured => new(ConnectKind.Struct, ConnectNames.StructuredDate),
        _ => new(ConnectKind.Integer, ConnectNames.Date),
    };

    private static ConnectSchema Time(ColumnType type, DebeziumSettings settings) => settings.Time switch
    {
        TimePrecisionMode.IsoString => new(ConnectKind.Text, ConnectNames.IsoTime),
        TimePrecisionMode.Structured => new(ConnectKind.Struct, ConnectNames.StructuredTime),
        TimePrecisionMode.Connect => new(ConnectKind.Integer, ConnectNames.ConnectTime),
        TimePrecisionMode.Nanoseconds => new(ConnectKind.Integer, ConnectNames.NanoTime),
        TimePrecisionMode.Adaptive when type.Modifier is >= 0 and <= 3 => new(ConnectKind.Integer, ConnectNames.Time),
        _ => new(ConnectKind.Integer, ConnectNames.MicroTime),
    };

    private static ConnectSchema Timestamp(ColumnType type, DebeziumSettings settings) => settings.Time switch
    {
        TimePrecisionMode.IsoString => new(ConnectKind.Text, ConnectNames.IsoTimestamp),
        TimePrecisionMode.Structured => new(ConnectKind.Struct, ConnectNames.StructuredTimestamp),
        TimePrecisionMode.Connect => new(ConnectKind.Integer, ConnectNames.ConnectTimestamp),
        TimePrecisionMode.Nanoseconds => new(ConnectKind.Integer, ConnectNames.NanoTimestamp),
        TimePrecisionMode.Adaptive or TimePrecisionMode.AdaptiveTimeMicroseconds when type.Modifier is >= 0 and <= 3 =>
            new(ConnectKind.Integer, ConnectNames.Timestamp),
        _ => new(ConnectKind.Integer, ConnectNames.MicroTimestamp),
    };

    /// <summary>MariaDB has no interval; its time goes there when it exceeds a day.</summary>
    private static ConnectSchema Interval(DebeziumSettings settings) =>
        settings.IsMySqlFamily ? Time(new ColumnType("time", ColumnKind.Time), settings)
        : settings.Intervals == IntervalHandlingMode.Text ? new(ConnectKind.Text, ConnectNames.Interval)
        : new(ConnectKind.Integer, ConnectNames.MicroDuration);
}
