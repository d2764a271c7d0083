using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Debezium.Logical;

/// <summary>
/// What MariaDB and MySQL write otherwise than PostgreSQL, or for target types PostgreSQL would not be read into. The mapping as a whole is in
/// docs/types-mariadb.md.
/// </summary>
internal static class MySqlTypes
{
    /// <summary>The type of a column; null where nothing is special about it.</summary>
    public static LogicalType? Find(ConnectSchema schema, ColumnType column) => column.Kind switch
    {
        // bigint unsigned comes as base64 where nothing says it is a decimal.
        ColumnKind.Integer when schema.Name is not ConnectNames.Decimal => IntegerType.OrUnsignedBigint,
        ColumnKind.Timestamp or ColumnKind.TimestampTz when UnitOf(schema) is { } unit => new UtcTimestampType(unit),
        ColumnKind.Bytes when schema.Name is ConnectNames.Point or ConnectNames.Geometry => new BytesType(BinaryHandlingMode.Bytes),
        ColumnKind.Array when column.Element is { Kind: ColumnKind.Text } && schema.Kind == ConnectKind.Text => SetType.Instance,
        ColumnKind.Text when column.BaseName == "uuid" => UuidType.Instance,
        _ => null,
    };

    private static TimeUnit? UnitOf(ConnectSchema schema) => schema.Name switch
    {
        ConnectNames.Timestamp => TimeUnit.Milliseconds,
        ConnectNames.MicroTimestamp or ConnectNames.ZonedTimestamp => TimeUnit.Microseconds,
        _ => null,
    };
}
