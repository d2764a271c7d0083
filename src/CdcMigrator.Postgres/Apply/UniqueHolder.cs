using System.Text;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Tables;
using Npgsql;

namespace CdcMigrator.Postgres.Apply;

/// <summary>Finds the row that holds the unique value a change needs, to name it.</summary>
internal sealed class UniqueHolder(PostgresLaneStore store)
{
    private const string IndexColumns = """
        select a.attname::text from pg_catalog.pg_index i
        cross join unnest(i.indkey::int2[]) with ordinality as k(attnum, ord) join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
        where i.indexrelid = pg_catalog.to_regclass($1) and i.indexprs is null and not i.indisexclusion and k.ord <= i.indnkeyatts order by k.ord
        """;

    /// <summary>The holder's key as text; null where the constraint is not over plain columns or the row is gone by now.</summary>
    public async Task<string?> FindAsync(PostgresException error, ChangeBatch batch, Change change, CancellationToken cancellationToken)
    {
        if (error.ConstraintName is null || error.SchemaName is null)
        {
            return null;
        }

        await using var connection = await store.Target.OpenConnectionAsync(cancellationToken);
        var columns = await ColumnsAsync(connection, new TableName(error.SchemaName, error.ConstraintName).Sql, change.Route, cancellationToken);
        if (columns.Count == 0 || columns.Any(column => column < 0 || batch.Slot(change, column).State != ColumnState.Value))
        {
            return null;
        }

        var target = change.Route.Target;
        var keys = string.Join(" || ',' || ", change.Route.Key.Columns.Select(column =>
            $"'{change.Route.SourceColumns[column].Replace("'", "''", StringComparison.Ordinal)}=' || {TableName.Quote(target.Columns[column].Name)}::text"));
        var where = string.Join(" and ", columns.Select((column, i) => $"{TableName.Quote(target.Columns[column].Name)}::text = (${i + 1}::text)::{target.Columns[column].Type.Sql}::text"));
        await using var command = new NpgsqlCommand($"select {keys} from {target.Name.Sql} where {where} limit 1", connection);
        foreach (var column in columns)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = Encoding.UTF8.GetString(batch.Value(batch.Slot(change, column))) });
        }

        return await command.ExecuteScalarAsync(cancellationToken) is string key ? $"{{{key}}}" : null;
    }

    private static async Task<IReadOnlyList<int>> ColumnsAsync(NpgsqlConnection connection, string index, TableRoute route, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(IndexColumns, connection);
        command.Parameters.Add(new NpgsqlParameter { Value = index });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var columns = new List<int>();
        while (await reader.ReadAsync(cancellationToken))
        {
            columns.Add(route.Target.IndexOf(reader.GetString(0)));
        }

        return columns;
    }
}
