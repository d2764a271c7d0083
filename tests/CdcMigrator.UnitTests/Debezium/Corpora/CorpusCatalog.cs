using System.Text.Json;
using CdcMigrator.Domain.Tables;
using CdcMigrator.TestKit.Events;

namespace CdcMigrator.UnitTests.Debezium.Corpora;

/// <summary>Routes from the recorded catalog.</summary>
internal static class CorpusCatalog
{
    public static TableRoute Route(JsonElement table)
    {
        var columns = table.GetProperty("columns").EnumerateArray().Select(Column).ToArray();
        var key = table.GetProperty("key").EnumerateArray()
            .Select(name => Array.FindIndex(columns, column => column.Name == name.GetString())).ToArray();
        var name = TableName.Parse(table.GetProperty("table").GetString()!);
        return TestRoutes.Of(new TableMapping { Source = name, Target = name }, key, columns);
    }

    private static TargetColumn Column(JsonElement column)
    {
        var baseName = column.GetProperty("type").GetString()!;
        var kind = Kind(baseName, column.GetProperty("kind").GetString()!);
        var modifier = Modifier(kind, column.GetProperty("typmod").GetInt32());
        var sql = column.GetProperty("sql").GetString()!;
        var element = column.GetProperty("elementSql").GetString();
        var type = element is null
            ? new ColumnType(sql, kind, modifier) { BaseName = baseName }
            : new ColumnType(sql, ColumnKind.Array, -1, new ColumnType(element, kind, modifier) { BaseName = baseName }) { BaseName = baseName };
        return new TargetColumn(column.GetProperty("name").GetString()!, type)
        {
            Generated = column.GetProperty("generated").GetBoolean(),
            NotNull = column.GetProperty("notNull").GetBoolean(),
            HasDefault = column.GetProperty("hasDefault").GetBoolean(),
        };
    }

    private static int Modifier(ColumnKind kind, int typmod) => kind switch
    {
        ColumnKind.Bit or ColumnKind.VarBit or ColumnKind.Time or ColumnKind.Timestamp => typmod,
        _ => -1,
    };

    private static ColumnKind Kind(string baseName, string typtype) => baseName switch
    {
        "bool" => ColumnKind.Boolean,
        "int2" or "int4" or "int8" or "oid" => ColumnKind.Integer,
        "float4" or "float8" => ColumnKind.Float,
        "numeric" => ColumnKind.Numeric,
        "money" => ColumnKind.Money,
        "bytea" => ColumnKind.Bytes,
        "bit" => ColumnKind.Bit,
        "varbit" => ColumnKind.VarBit,
        "date" => ColumnKind.Date,
        "time" => ColumnKind.Time,
        "timetz" => ColumnKind.TimeTz,
        "timestamp" => ColumnKind.Timestamp,
        "timestamptz" => ColumnKind.TimestampTz,
        "interval" => ColumnKind.Interval,
        "point" => ColumnKind.Point,
        "hstore" => ColumnKind.Hstore,
        "line" or "lseg" or "box" or "path" or "polygon" or "circle" or "tsquery" or "pg_lsn" or "xid8" or "jsonpath" => ColumnKind.Opaque,
        _ => typtype is "c" or "m" ? ColumnKind.Opaque : ColumnKind.Text,
    };
}
