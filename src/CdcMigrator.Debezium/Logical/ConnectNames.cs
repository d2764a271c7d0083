namespace CdcMigrator.Debezium.Logical;

/// <summary>Names of the logical types of Debezium and Kafka Connect.</summary>
internal static class ConnectNames
{
    public const string Decimal = "org.apache.kafka.connect.data.Decimal";
    public const string ConnectDate = "org.apache.kafka.connect.data.Date";
    public const string ConnectTime = "org.apache.kafka.connect.data.Time";
    public const string ConnectTimestamp = "org.apache.kafka.connect.data.Timestamp";
    public const string VariableScaleDecimal = "io.debezium.data.VariableScaleDecimal";
    public const string Bits = "io.debezium.data.Bits";
    public const string Json = "io.debezium.data.Json";
    public const string Enum = "io.debezium.data.Enum";
    public const string EnumSet = "io.debezium.data.EnumSet";
    public const string Point = "io.debezium.data.geometry.Point";
    public const string Geometry = "io.debezium.data.geometry.Geometry";
    public const string Geography = "io.debezium.data.geometry.Geography";
    public const string DoubleVector = "io.debezium.data.DoubleVector";
    public const string FloatVector = "io.debezium.data.FloatVector";
    public const string SparseDoubleVector = "io.debezium.data.SparseDoubleVector";
    public const string Date = "io.debezium.time.Date";
    public const string Time = "io.debezium.time.Time";
    public const string MicroTime = "io.debezium.time.MicroTime";
    public const string NanoTime = "io.debezium.time.NanoTime";
    public const string Timestamp = "io.debezium.time.Timestamp";
    public const string MicroTimestamp = "io.debezium.time.MicroTimestamp";
    public const string NanoTimestamp = "io.debezium.time.NanoTimestamp";
    public const string ZonedTimestamp = "io.debezium.time.ZonedTimestamp";
    public const string ZonedTime = "io.debezium.time.ZonedTime";
    public const string IsoDate = "io.debezium.time.IsoDate";
    public const string IsoTime = "io.debezium.time.IsoTime";
    public const string IsoTimestamp = "io.debezium.time.IsoTimestamp";
    public const string MicroDuration = "io.debezium.time.MicroDuration";
    public const string NanoDuration = "io.debezium.time.NanoDuration";
    public const string Interval = "io.debezium.time.Interval";
    public const string StructuredDate = "io.debezium.time.StructuredDate";
    public const string StructuredTime = "io.debezium.time.StructuredTime";
    public const string StructuredTimestamp = "io.debezium.time.StructuredTimestamp";
    public const string StructuredZonedTimestamp = "io.debezium.time.StructuredZonedTimestamp";
}
