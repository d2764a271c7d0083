using CdcMigrator.Domain.Tables;
using CdcMigrator.MariaDb.Catalog;

namespace CdcMigrator.MariaDb.Preflight;

/// <summary>The table of docs/types-mariadb.md: which column can take which type. Pure.</summary>
internal static class TypeFit
{
    /// <summary>Whether values of the column reach a column of that type as they are, or stop their lane by name where one does not fit.</summary>
    public static bool Fits(SourceColumn column, ColumnType target) => column.Type switch
    {
        "tinyint" or "smallint" or "mediumint" or "int" or "bigint" =>
            target.Kind is ColumnKind.Integer or ColumnKind.Numeric || (target.Kind == ColumnKind.Boolean && column.Type == "tinyint"),
        "decimal" => target.Kind == ColumnKind.Numeric,

        // Only a real tells that the snapshot's six digits are not enough.
        "float" => target is { Kind: ColumnKind.Float, BaseName: "float4" },
        "double" => target is { Kind: ColumnKind.Float, BaseName: "float8" },
        "bit" => (column.Length == 1 && target.Kind == ColumnKind.Boolean) || (target.Kind == ColumnKind.Bit && target.Modifier == column.Length),
        "binary" => target.Kind == ColumnKind.Bytes || (column.Length == 16 && target.BaseName == "uuid"),
        "varbinary" or "tinyblob" or "blob" or "mediumblob" or "longblob" => target.Kind == ColumnKind.Bytes,
        "uuid" => target.BaseName == "uuid",
        "set" => target.Kind == ColumnKind.Text || (target.Kind == ColumnKind.Array && target.Element?.Kind == ColumnKind.Text),
        "year" => target.Kind is ColumnKind.Integer or ColumnKind.Numeric,
        "date" => target.Kind == ColumnKind.Date,
        "datetime" or "timestamp" => target.Kind is ColumnKind.Timestamp or ColumnKind.TimestampTz,
        "time" => target.Kind is ColumnKind.Interval or ColumnKind.Time,
        "point" => target.Kind is ColumnKind.Point or ColumnKind.Bytes || target.BaseName == "geometry",
        "geometry" or "linestring" or "polygon" or "multipoint" or "multilinestring" or "multipolygon" or "geometrycollection" or "geomcollection" =>
            target.Kind == ColumnKind.Bytes || target.BaseName == "geometry",
        _ => target.Kind == ColumnKind.Text,
    };
}
