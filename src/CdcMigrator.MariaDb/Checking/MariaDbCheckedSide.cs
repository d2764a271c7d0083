using System.Globalization;
using System.Numerics;
using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Tables;
using CdcMigrator.MariaDb.Connections;
using CdcMigrator.MariaDb.Faults;
using MySqlConnector;

namespace CdcMigrator.MariaDb.Checking;

/// <summary>A MariaDB or MySQL source as the checks of schemas, numbered columns and migration tools see it. Types, defaults and constraints are not told: they are spelt otherwise.</summary>
/// <param name="source">The source's pool.</param>
public sealed class MariaDbCheckedSide(MySqlDataSource source) : ICheckedSide
{
    private const int UnknownVariable = 1193;

    private const string Columns = """
        select column_name, column_type, is_nullable = 'NO', extra like '%auto_increment%' from information_schema.columns
        where table_schema = @schema and table_name = @name order by ordinal_position
        """;

    /// <summary>A key over a part of a column, or over an expression, has no counterpart by columns.</summary>
    private const string Keys = """
        select index_name, group_concat(column_name order by seq_in_index separator '\0'), index_name = 'PRIMARY' from information_schema.statistics
        where table_schema = @schema and table_name = @name and non_unique = 0 group by index_name having sum(column_name is null or sub_part is not null) = 0 order by index_name <> 'PRIMARY', index_name
        """;

    private const string Numbered = """
        select c.column_name, t.auto_increment, c.column_type from information_schema.columns c join information_schema.tables t on t.table_schema = c.table_schema and t.table_name = c.table_name
        where c.table_schema = @schema and c.table_name = @name and c.extra like '%auto_increment%'
        """;

    /// <inheritdoc />
    public Task<IReadOnlyDictionary<TableName, SchemaTable>> ReadTablesAsync(IReadOnlyCollection<TableName> names, CancellationToken cancellationToken) => RunAsync<IReadOnlyDictionary<TableName, SchemaTable>>(async connection =>
    {
        var tables = new Dictionary<TableName, SchemaTable>();
        foreach (var name in names)
        {
            var columns = await RowsAsync(connection, Columns, name, row => new SchemaColumn(row.GetString(0), row.GetString(1), row.GetBoolean(2)) { Identity = row.GetBoolean(3) ? "by default" : "" }, cancellationToken);
            if (columns.Count > 0)
            {
                tables[name] = new SchemaTable(name, columns)
                {
                    Keys = await RowsAsync(connection, Keys, name, row => new SchemaKey(row.GetString(0), row.GetString(1).Split('\0'), row.GetBoolean(2)), cancellationToken),
                };
            }
        }

        return tables;
    }, cancellationToken);

    /// <inheritdoc />
    public Task<IReadOnlyList<SequenceFact>> ReadSequencesAsync(IReadOnlyCollection<TableName> names, CancellationToken cancellationToken) => RunAsync<IReadOnlyList<SequenceFact>>(async connection =>
    {
        try
        {
            // MySQL 8 answers from statistics of yesterday; MariaDB has no such setting.
            await using var fresh = new MySqlCommand("set session information_schema_stats_expiry = 0", connection);
            await fresh.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (MySqlException exception) when (exception.Number == UnknownVariable)
        {
            // What is asked for is read anew each time.
        }

        var facts = new List<SequenceFact>();
        foreach (var name in names)
        {
            // The next value it will give, so that the last one is one less.
            facts.AddRange(await RowsAsync(connection, Numbered, name, row => new SequenceFact(name, row.GetString(0), $"{name}.{row.GetString(0)}")
            {
                Last = row.IsDBNull(1) || Convert.ToUInt64(row.GetValue(1), CultureInfo.InvariantCulture) <= 1 ? null : new BigInteger(Convert.ToUInt64(row.GetValue(1), CultureInfo.InvariantCulture)) - 1,
                Greatest = ulong.MaxValue,
            }, cancellationToken));
        }

        return facts;
    }, cancellationToken);

    /// <inheritdoc />
    public Task<IReadOnlyList<HistoryFact>> ReadHistoryAsync(CancellationToken cancellationToken) => RunAsync<IReadOnlyList<HistoryFact>>(async connection =>
    {
        var facts = new List<HistoryFact>();
        foreach (var tool in HistoryTool.All)
        {
            var tables = await RowsAsync(connection, "select table_schema, table_name from information_schema.tables where lower(table_name) = @name and @schema is not null order by 1, 2",
                new TableName("-", tool.TableName), row => new TableName(row.GetString(0), row.GetString(1)), cancellationToken);
            foreach (var table in tables)
            {
                // Scripts for the other engine are other ones, so that their checksums say nothing.
                var rows = await RowsAsync(connection, tool.Sql(MariaDbConnections.Sql(table)), table, row => (row.GetString(0), (string?)null, row.GetString(2)), cancellationToken);
                facts.Add(tool.Of(table, rows));
            }
        }

        return facts;
    }, cancellationToken);

    private async Task<T> RunAsync<T>(Func<MySqlConnection, Task<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await MariaDbConnections.OpenAsync(source, cancellationToken);
            return await work(connection);
        }
        catch (MySqlException exception)
        {
            throw MariaDbFaults.ToException(exception);
        }
    }

    private static async Task<IReadOnlyList<T>> RowsAsync<T>(MySqlConnection connection, string sql, TableName name, Func<MySqlDataReader, T> read, CancellationToken cancellationToken)
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
