using System.Globalization;
using CdcMigrator.Domain.Tables;
using CdcMigrator.MariaDb.Catalog;
using MySqlConnector;

namespace CdcMigrator.MariaDb.Auditing;

/// <summary>Reads what an audit asks of <c>information_schema</c> beyond what preflight does.</summary>
internal static class SurveyCatalog
{
    private const string Size = """
        select coalesce(table_rows, 0), coalesce(data_length, 0) + coalesce(index_length, 0), auto_increment from information_schema.tables where table_schema = @schema and table_name = @name
        """;

    private const string Triggers = "select trigger_name from information_schema.triggers where event_object_schema = @schema and event_object_table = @name order by 1";

    private const string LooseKeys = """
        select concat(s.index_name, ' (', group_concat(c.column_name order by s.seq_in_index separator ', '), ')')
        from information_schema.statistics s join information_schema.columns c on c.table_schema = s.table_schema and c.table_name = s.table_name and c.column_name = s.column_name
        where s.table_schema = @schema and s.table_name = @name and s.non_unique = 0 and c.collation_name is not null and c.collation_name not like '%\_bin' and c.collation_name not like '%\_nopad\_bin'
        group by s.index_name order by s.index_name
        """;

    private const string Extras = "select column_name, lower(extra) from information_schema.columns where table_schema = @schema and table_name = @name and (extra like '%INVISIBLE%' or extra like '%auto_increment%') order by ordinal_position";

    private const string Json = "select check_clause from information_schema.check_constraints where constraint_schema = @schema and table_name = @name and check_clause like 'json_valid(`%`)'";

    /// <summary>One table; null where there is none of that name.</summary>
    public static async Task<SurveyedTable?> FindAsync(MySqlConnection connection, TableName name, bool isMariaDb, CancellationToken cancellationToken)
    {
        if (await SourceCatalog.FindAsync(connection, name, cancellationToken) is not { IsTable: true } table)
        {
            return null;
        }

        var size = (await RowsAsync(connection, Size, name, cancellationToken))[0];
        var extras = await RowsAsync(connection, Extras, name, cancellationToken);
        return new SurveyedTable(table)
        {
            EstimatedRows = (long)Number(size[0])!,
            Bytes = (long)Number(size[1])!,
            AutoIncrement = Number(size[2]),
            Triggers = [.. (await RowsAsync(connection, Triggers, name, cancellationToken)).Select(row => row[0]!)],
            LooseKeys = [.. (await RowsAsync(connection, LooseKeys, name, cancellationToken)).Select(row => row[0]!)],
            Invisible = [.. extras.Where(row => row[1]!.Contains("invisible", StringComparison.Ordinal)).Select(row => row[0]!)],
            Json = isMariaDb ? (await RowsAsync(connection, Json, name, cancellationToken)).Select(row => row[0]!["json_valid(`".Length..^2].Replace("``", "`", StringComparison.Ordinal)).ToHashSet() : [],
            AutoColumn = extras.Find(row => row[1]!.Contains("auto_increment", StringComparison.Ordinal))?[0],
        };
    }

    /// <summary>Every row of a query about a table, as text.</summary>
    public static async Task<List<string?[]>> RowsAsync(MySqlConnection connection, string sql, TableName name, CancellationToken cancellationToken)
    {
        await using var command = new MySqlCommand(sql, connection);
        command.Parameters.AddWithValue("@schema", name.Schema);
        command.Parameters.AddWithValue("@name", name.Name);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<string?[]>();
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add([.. Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? null : Convert.ToString(reader.GetValue(i), CultureInfo.InvariantCulture))]);
        }

        return rows;
    }

    private static decimal? Number(string? text) => text is null ? null : decimal.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
}
