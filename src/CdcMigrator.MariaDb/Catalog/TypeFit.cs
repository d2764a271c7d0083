using CdcMigrator.Domain.Tables;

namespace CdcMigrator.MariaDb.Catalog;

/// <summary>The table of docs/types-mariadb.md: which column can take which type. Pure.</summary>
internal static class TypeFit
{
    /// <summary>Widest bit(n) whose number a bigint holds.</summary>
    private const int BitsOfBigint = 63;

    /// <summary>How values of the column reach a column of that type.</summary>
    public static Fit Of(SourceColumn column, ColumnType target) => column.Type switch
    {
        "tinyint" or "smallint" or "mediumint" or "int" or "bigint" =>
            Events(target.Kind is ColumnKind.Integer or ColumnKind.Numeric || (target.Kind == ColumnKind.Boolean && column.Type == "tinyint")),
        "decimal" => Events(target.Kind == ColumnKind.Numeric),

        // Only a real tells that the snapshot's six digits are not enough.
        "float" => target.Kind != ColumnKind.Float ? Fit.None : target.BaseName == "float4" ? Fit.Events : Fit.Source,
        "double" => Events(target is { Kind: ColumnKind.Float, BaseName: "float8" }),
        "bit" when target.Kind == ColumnKind.Integer => column.Length <= BitsOfBigint ? Fit.Source : Fit.None,
        "bit" => Events((column.Length == 1 && target.Kind == ColumnKind.Boolean) || (target.Kind == ColumnKind.Bit && target.Modifier == column.Length)),
        "binary" => Events(target.Kind == ColumnKind.Bytes || (column.Length == 16 && target.BaseName == "uuid")),
        "varbinary" or "tinyblob" or "blob" or "mediumblob" or "longblob" => Events(target.Kind == ColumnKind.Bytes),

        // As text nothing would tell a uuid whose zero byte moved.
        "uuid" => target.Kind != ColumnKind.Text ? Fit.None : target.BaseName == "uuid" ? Fit.Events : Fit.Source,
        "set" => Events(target.Kind == ColumnKind.Text || (target.Kind == ColumnKind.Array && target.Element?.Kind == ColumnKind.Text)),
        "year" => Events(target.Kind is ColumnKind.Integer or ColumnKind.Numeric),
        "date" => Events(target.Kind == ColumnKind.Date),
        "datetime" or "timestamp" => Events(target.Kind is ColumnKind.Timestamp or ColumnKind.TimestampTz),
        "time" => Events(target.Kind is ColumnKind.Interval or ColumnKind.Time),
        "point" => Events(target.Kind is ColumnKind.Point or ColumnKind.Bytes || target.BaseName == "geometry"),
        "geometry" or "linestring" or "polygon" or "multipoint" or "multilinestring" or "multipolygon" or "geometrycollection" or "geomcollection" =>
            Events(target.Kind == ColumnKind.Bytes || target.BaseName == "geometry"),
        _ => Events(target.Kind == ColumnKind.Text),
    };

    /// <summary>Why a target column cannot take a source column's values; null where it can.</summary>
    public static string? Unfit(SourceColumn column, ColumnType target, ColumnMapping mapping, bool isKey) =>
        Of(column, target) switch
        {
            Fit.None => $"it is {column.Declared} in the source and {target.Sql} in the target, which cannot take it",
            Fit.Source when isKey => $"it is {column.Declared} in the source and {target.Sql} in the target, which a key cannot be read into",
            _ when mapping.As.Length > 0 && !IsNamed(target, mapping.As) => $"the migration file wants it as {mapping.As}, and in the target it is {target.Sql}",
            _ => null,
        };

    /// <summary>Whether a name of the migration file means a type: PostgreSQL's own names, with or without schema.</summary>
    public static bool IsNamed(ColumnType type, string name)
    {
        var array = name.EndsWith("[]", StringComparison.Ordinal);
        if (array != (type.Kind == ColumnKind.Array))
        {
            return false;
        }

        var plain = (array ? name[..^2] : name).ToLowerInvariant();
        var sql = type.Element?.Sql ?? type.Sql;
        return sql.Equals(plain, StringComparison.OrdinalIgnoreCase)
            || sql.EndsWith($".{plain}", StringComparison.OrdinalIgnoreCase)
            || type.BaseName == (Synonyms.GetValueOrDefault(plain) ?? plain);
    }

    private static readonly Dictionary<string, string> Synonyms = new(StringComparer.Ordinal)
    {
        ["boolean"] = "bool",
        ["smallint"] = "int2",
        ["integer"] = "int4",
        ["int"] = "int4",
        ["bigint"] = "int8",
        ["real"] = "float4",
        ["double precision"] = "float8",
        ["decimal"] = "numeric",
        ["character varying"] = "varchar",
        ["char"] = "bpchar",
        ["character"] = "bpchar",
    };

    private static Fit Events(bool fits) => fits ? Fit.Events : Fit.None;
}
