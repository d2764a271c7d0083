using CdcMigrator.Domain.Tables;

namespace CdcMigrator.TestKit.Events;

/// <summary>Routes without a database.</summary>
public static class TestRoutes
{
    /// <summary>A route of a table to itself; the first column is the key unless said otherwise.</summary>
    public static TableRoute Of(string table, params TargetColumn[] columns) =>
        Of(new TableMapping { Source = TableName.Parse(table), Target = TableName.Parse(table) }, [0], columns);

    /// <summary>A route of a mapping; <paramref name="key"/> holds ordinals.</summary>
    public static TableRoute Of(TableMapping mapping, int[] key, params TargetColumn[] columns)
    {
        var primary = new UniqueKey($"{mapping.Target.Name}_pkey", key, IsPrimary: true);
        return new TableRoute(mapping, new TargetTable { Name = mapping.Target, Columns = columns, Keys = [primary] }, primary);
    }

    /// <summary>A column of a type.</summary>
    public static TargetColumn Column(string name, ColumnKind kind, string sql, string? baseName = null, int modifier = -1) =>
        new(name, new ColumnType(sql, kind, modifier) { BaseName = baseName ?? sql });

    /// <summary>A column of an array type.</summary>
    public static TargetColumn Array(string name, ColumnKind element, string sql, string? baseName = null) =>
        new(name, new ColumnType($"{sql}[]", ColumnKind.Array, -1, new ColumnType(sql, element) { BaseName = baseName ?? sql }) { BaseName = baseName ?? sql });

    /// <summary>bigint.</summary>
    public static TargetColumn Bigint(string name) => Column(name, ColumnKind.Integer, "bigint", "int8");

    /// <summary>text.</summary>
    public static TargetColumn Text(string name) => Column(name, ColumnKind.Text, "text");
}
