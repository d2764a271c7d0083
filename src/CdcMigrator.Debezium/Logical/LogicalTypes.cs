using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Debezium.Logical;

/// <summary>
/// The one table from (what the event's schema says, what the target column is, how the connector is set) to the type that writes the
/// value. What no entry covers is unfaithful: it is reselected, never guessed.
/// </summary>
internal static class LogicalTypes
{
    /// <summary>The type of a column in events without schemas.</summary>
    public static LogicalType Assume(ColumnType column, DebeziumSettings settings) =>
        settings.PlainText ? PlainTextType.Instance : Resolve(AssumedSchemas.Of(column, settings), column, settings);

    /// <summary>The type of a column whose schema is known.</summary>
    public static LogicalType Resolve(ConnectSchema schema, ColumnType column, DebeziumSettings settings)
    {
        if (settings.PlainText)
        {
            return PlainTextType.Instance;
        }

        if (settings.IsMySqlFamily && MySqlTypes.Find(schema, column) is { } special)
        {
            return special;
        }

        // MariaDB's types are others; what is wrong with them is a matter of single values.
        if (!settings.IsMySqlFamily && (UnfaithfulTypes.Contains(column) || UnfaithfulTypes.IsMissingInEvents(column, settings)))
        {
            return UnfaithfulType.Instance;
        }

        return schema.Name is null ? Unnamed(schema, column, settings) : Named(schema, column, settings);
    }

    private static LogicalType Named(ConnectSchema schema, ColumnType column, DebeziumSettings settings) => schema.Name switch
    {
        ConnectNames.Date or ConnectNames.ConnectDate => DateType.Instance,
        ConnectNames.Time => new TimeType(TimeUnit.Milliseconds),
        ConnectNames.MicroTime => new TimeType(TimeUnit.Microseconds),
        ConnectNames.NanoTime => new TimeType(TimeUnit.Nanoseconds),
        ConnectNames.Timestamp => new TimestampType(TimeUnit.Milliseconds),
        ConnectNames.MicroTimestamp => new TimestampType(TimeUnit.Microseconds),

        // Milliseconds whatever the column has: right only where it has no more.
        ConnectNames.ConnectTime when column.Modifier is >= 0 and <= 3 => new TimeType(TimeUnit.Milliseconds),
        ConnectNames.ConnectTimestamp when column.Modifier is >= 0 and <= 3 => new TimestampType(TimeUnit.Milliseconds),
        ConnectNames.ZonedTimestamp => ZonedTimestampType.Instance,
        ConnectNames.IsoDate => IsoDateType.Instance,
        ConnectNames.IsoTime => IsoTimeType.Instance,
        ConnectNames.IsoTimestamp => IsoTimestampType.Instance,
        ConnectNames.Interval => IntervalType.Instance,
        ConnectNames.Decimal => Decimal(schema, column, settings),
        ConnectNames.VariableScaleDecimal => VariableScaleType.Instance,
        ConnectNames.Bits when column.Kind == ColumnKind.Bit => new BitsType(schema.Length ?? column.Modifier),
        ConnectNames.Point when column.Kind == ColumnKind.Point => PointType.Instance,
        ConnectNames.Point or ConnectNames.Geometry or ConnectNames.Geography when column.BaseName is "geometry" or "geography" => GeometryType.Instance,
        ConnectNames.DoubleVector or ConnectNames.FloatVector => VectorType.Instance,

        // MicroDuration knows months as 30.4375 days. NanoTimestamp holds 1677 to 2262 and overflows silently before Debezium 3.6.
        ConnectNames.ConnectTime or ConnectNames.ConnectTimestamp or ConnectNames.NanoTimestamp or ConnectNames.MicroDuration or ConnectNames.NanoDuration
            or ConnectNames.ZonedTime or ConnectNames.Bits => UnfaithfulType.Instance,

        // Enum, EnumSet, Json, Xml, Uuid, Ltree, Tsvector, Year, and custom converters' names: the primitive decides.
        _ => Unnamed(schema, column, settings),
    };

    private static LogicalType Unnamed(ConnectSchema schema, ColumnType column, DebeziumSettings settings) => schema.Kind switch
    {
        ConnectKind.Boolean => column.Kind == ColumnKind.Bit ? SingleBitType.Instance : column.Kind == ColumnKind.Text ? TextType.Instance : BooleanType.Instance,
        ConnectKind.Integer => Integer(column),
        ConnectKind.Float => Float(column, settings),
        ConnectKind.Text => Text(column, settings),
        ConnectKind.Bytes => column.Kind == ColumnKind.Bytes ? new BytesType(BinaryHandlingMode.Bytes) : new OpaqueType(BinaryHandlingMode.Bytes),
        ConnectKind.Array => Array(schema, column, settings),
        ConnectKind.Map when column.Kind == ColumnKind.Hstore => HstoreType.Instance,
        _ => UnfaithfulType.Instance,
    };

    private static LogicalType Integer(ColumnType column) => column.Kind switch
    {
        ColumnKind.Boolean => BooleanType.Instance,
        ColumnKind.Text => TextType.Instance,
        _ => IntegerType.Instance,
    };

    /// <summary>A numeric column written as a float has lost digits (<c>decimal.handling.mode=double</c>); MariaDB's snapshot cuts float to six (observed).</summary>
    private static LogicalType Float(ColumnType column, DebeziumSettings settings) => column.Kind switch
    {
        ColumnKind.Float when settings.IsMySqlFamily && column.BaseName == "float4" => StreamedOnlyType.Float,
        ColumnKind.Float => FloatType.Instance,
        _ => UnfaithfulType.Instance,
    };

    private static LogicalType Text(ColumnType column, DebeziumSettings settings) => column.Kind switch
    {
        ColumnKind.Numeric => new NumericType(settings.IsMySqlFamily),
        ColumnKind.Money => new MoneyType(-1),
        ColumnKind.Integer => IntegerType.Instance,
        ColumnKind.Bytes => new BytesType(settings.Binary),
        ColumnKind.Opaque when settings.Binary != BinaryHandlingMode.Bytes => new OpaqueType(settings.Binary),
        ColumnKind.Hstore => HstoreType.Instance,
        _ => TextType.Instance,
    };

    private static LogicalType Decimal(ConnectSchema schema, ColumnType column, DebeziumSettings settings) => (column.Kind, schema.Scale) switch
    {
        (ColumnKind.Money, { } scale) => new MoneyType(scale),
        (_, { } scale) => new DecimalType(scale),
        _ => new NumericType(settings.IsMySqlFamily),
    };

    private static LogicalType Array(ConnectSchema schema, ColumnType column, DebeziumSettings settings)
    {
        if (column.BaseName is "vector" or "halfvec")
        {
            return VectorType.Instance;
        }

        if (column.Element is null || schema.Items is null)
        {
            return UnfaithfulType.Instance;
        }

        var element = Resolve(schema.Items, column.Element, settings);
        return element.IsUnfaithful ? element : new ArrayType(element);
    }
}
