using CdcMigrator.Debezium.Logical;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Debezium.Envelopes;

/// <summary>
/// MariaDB's zero and partial dates arrive as NULL, in a NOT NULL column as its default or 1970-01-01, and as the latter in a timestamp that is
/// streamed (observed). A value that may be one is reselected; what becomes of it is decided there.
/// </summary>
internal static class ZeroDates
{
    public static FieldPlan Mark(FieldPlan field, ConnectSchema? schema, TargetColumn column, DebeziumSettings settings)
    {
        byte[]? epoch = !settings.IsMySqlFamily ? null : column.Type.Kind switch
        {
            ColumnKind.Date => [.. "1970-01-01"u8],
            ColumnKind.Timestamp or ColumnKind.TimestampTz => [.. "1970-01-01 00:00:00"u8],
            _ => null,
        };
        return epoch is null ? field : field with
        {
            SuspectZeroDate = epoch,
            SuspectDefault = field.SuspectDefault
                ?? (schema is { Optional: false, Default: { } text } ? Json.JsonValues.DefaultText(text, field.Type, settings) : null),
        };
    }
}
