using System.Globalization;
using CdcMigrator.Domain.Tables;
using MySqlConnector;

namespace CdcMigrator.MariaDb.Catalog;

/// <summary>Reads tables from <c>information_schema</c>.</summary>
internal static class SourceCatalog
{
    private const string Columns = """
        select column_name, lower(data_type), column_type, is_nullable = 'YES', extra like '%GENERATED%' or extra like '%VIRTUAL%' or extra like '%PERSISTENT%', column_default,
            coalesce(character_maximum_length, if(data_type = 'bit', numeric_precision, 0)), coalesce(numeric_precision, 0), coalesce(numeric_scale, 0), coalesce(character_set_name, '')
        from information_schema.columns where table_schema = @schema and table_name = @name order by ordinal_position
        """;

    private const string Keys = """
        select s.index_name, s.column_name, s.nullable = 'YES', s.sub_part is not null
        from information_schema.statistics s where s.table_schema = @schema and s.table_name = @name and s.non_unique = 0
        order by s.index_name <> 'PRIMARY', s.index_name, s.seq_in_index
        """;

    /// <summary>The tables that exist, by name.</summary>
    public static async Task<IReadOnlyDictionary<TableName, SourceTable>> ReadAsync(
        MySqlConnection connection, IEnumerable<TableName> names, CancellationToken cancellationToken)
    {
        var tables = new Dictionary<TableName, SourceTable>();
        foreach (var name in names.Distinct())
        {
            if (await FindAsync(connection, name, cancellationToken) is { } table)
            {
                tables[name] = table;
            }
        }

        return tables;
    }

    /// <summary>One table; null where there is none.</summary>
    public static async Task<SourceTable?> FindAsync(MySqlConnection connection, TableName name, CancellationToken cancellationToken)
    {
        var kind = await RowsAsync(connection, "select table_type, coalesce(engine, '') from information_schema.tables where table_schema = @schema and table_name = @name", name,
            reader => (Type: reader.GetString(0), Engine: reader.GetString(1)), cancellationToken);
        if (kind.Count == 0)
        {
            return null;
        }

        var columns = await ReadColumnsAsync(connection, name, cancellationToken);
        var parts = await RowsAsync(connection, Keys, name,
            reader => (Index: reader.GetString(0), Column: reader.IsDBNull(1) ? "" : reader.GetString(1), Loose: reader.GetBoolean(2) || reader.GetBoolean(3) || reader.IsDBNull(1)), cancellationToken);
        var key = parts.GroupBy(part => part.Index).FirstOrDefault(index => index.All(part => !part.Loose));
        return new SourceTable(name, columns)
        {
            IsTable = kind[0].Type is "BASE TABLE" or "SYSTEM VERSIONED",
            Engine = kind[0].Engine,
            Key = key is null ? [] : [.. key.Select(part => part.Column)],
            HasPrimaryKey = key?.Key == "PRIMARY",
        };
    }

    /// <summary>The columns of a table; empty where there is none.</summary>
    public static async Task<IReadOnlyList<SourceColumn>> ReadColumnsAsync(MySqlConnection connection, TableName name, CancellationToken cancellationToken) =>
        await RowsAsync(connection, Columns, name, Column, cancellationToken);

    private static SourceColumn Column(MySqlDataReader reader) => new(reader.GetString(0), reader.GetString(1), reader.GetString(2))
    {
        Nullable = reader.GetBoolean(3),
        Generated = reader.GetBoolean(4),
        Default = reader.IsDBNull(5) ? null : reader.GetString(5),
        Length = Number(reader, 6),
        Precision = (int)Number(reader, 7),
        Scale = (int)Number(reader, 8),
        CharacterSet = reader.GetString(9),
    };

    private static long Number(MySqlDataReader reader, int column) => (long)Convert.ToDecimal(reader.GetValue(column), CultureInfo.InvariantCulture);

    private static async Task<List<T>> RowsAsync<T>(MySqlConnection connection, string sql, TableName name, Func<MySqlDataReader, T> read, CancellationToken cancellationToken)
    {
        await using var command = new MySqlCommand(sql, connection);
        command.Parameters.AddWithValue("@schema", name.Schema);
        command.Parameters.AddWithValue("@name", name.Name);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(read(reader));
        }

        return rows;
    }
}
