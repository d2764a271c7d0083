using System.Text;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Tables;
using Npgsql;
using NpgsqlTypes;

namespace CdcMigrator.Postgres.Apply;

/// <summary>
/// Statements for rows without a key. A row is found by all of its columns' text, so that any type compares and <c>1.0</c> is not <c>1.00</c>; where
/// equal values have one text the plain comparison stands beside it, for an index to be used.
/// </summary>
/// <param name="route">The table.</param>
/// <param name="declared">Its columns' declared types, by ordinal.</param>
internal sealed class KeylessSql(TableRoute route, IReadOnlyList<string> declared)
{
    private const string DeclaredTypes = """
        select a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod) from pg_catalog.pg_attribute a
        where a.attrelid = pg_catalog.to_regclass($1) and a.attnum > 0 and not a.attisdropped
        """;

    private readonly string table = route.Target.Name.Sql;

    /// <summary>Reads the declared types.</summary>
    public static async Task<KeylessSql> ReadAsync(NpgsqlConnection connection, TableRoute route, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(DeclaredTypes, connection) { Parameters = { new NpgsqlParameter { Value = route.Target.Name.Sql } } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var types = new Dictionary<string, string>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellationToken))
        {
            types[reader.GetString(0)] = reader.GetString(1);
        }

        return new KeylessSql(route, [.. route.Target.Columns.Select(column => types.GetValueOrDefault(column.Name, column.Type.Sql))]);
    }

    /// <summary>Ordinals of the columns an image carries.</summary>
    public int[] Carried(ReadOnlySpan<ValueSlot> row)
    {
        var carried = new List<int>(row.Length);
        for (var i = 0; i < row.Length; i++)
        {
            if (row[i].State is ColumnState.Value or ColumnState.Null && !route.Target.Columns[i].Generated)
            {
                carried.Add(i);
            }
        }

        return [.. carried];
    }

    /// <summary>Inserts rows that carry the same columns.</summary>
    public NpgsqlBatchCommand Insert(ChangeBatch batch, IReadOnlyList<int> changes, int[] columns)
    {
        if (columns.Length == 0)
        {
            return new NpgsqlBatchCommand($"insert into {table} select from pg_catalog.generate_series(1, {changes.Count})");
        }

        var command = new NpgsqlBatchCommand($"""
            insert into {table} ({string.Join(", ", columns.Select(Name))}) overriding system value
            select {string.Join(", ", columns.Select((column, i) => $"s.c{i}::{Type(column)}"))}
            from unnest({string.Join(", ", columns.Select((_, i) => $"${i + 1}::text[]"))}) as s({string.Join(", ", columns.Select((_, i) => $"c{i}"))})
            """);
        foreach (var column in columns)
        {
            command.Parameters.Add(new NpgsqlParameter<string?[]>
            {
                TypedValue = [.. changes.Select(change => Text(batch, batch.Slot(batch.Changes[change], column)))],
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text,
            });
        }

        return command;
    }

    /// <summary>Deletes exactly one row equal to the image, if there is one.</summary>
    public NpgsqlBatchCommand Delete(ChangeBatch batch, ReadOnlySpan<ValueSlot> row)
    {
        var command = new NpgsqlBatchCommand();
        command.CommandText = $"{Victim(command, batch, row)} delete from {table} as t using v where t.tableoid = v.o and t.ctid = v.c";
        return command;
    }

    /// <summary>Updates exactly one row equal to the old image, if there is one.</summary>
    public NpgsqlBatchCommand Update(ChangeBatch batch, ReadOnlySpan<ValueSlot> before, ReadOnlySpan<ValueSlot> after)
    {
        var command = new NpgsqlBatchCommand();
        var victim = Victim(command, batch, before);
        var set = new List<string>();
        foreach (var column in Carried(after))
        {
            set.Add($"{Name(column)} = {(after[column].State == ColumnState.Null ? "null" : $"{Parameter(command, batch, after[column])}::{Type(column)}")}");
        }

        command.CommandText = $"{victim} update {table} as t set {string.Join(", ", set)} from v where t.tableoid = v.o and t.ctid = v.c";
        return command;
    }

    /// <summary>Deletes every row.</summary>
    public NpgsqlBatchCommand Truncate() => new($"delete from {table}");

    private string Victim(NpgsqlBatchCommand command, ChangeBatch batch, ReadOnlySpan<ValueSlot> row)
    {
        var equal = new List<string> { "true" };
        foreach (var column in Carried(row))
        {
            if (row[column].State == ColumnState.Null)
            {
                equal.Add($"t.{Name(column)} is null");
                continue;
            }

            var value = Parameter(command, batch, row[column]);
            var type = route.Target.Columns[column].Type;
            if (type.Element is null && KeyColumn.HasOneText(type.BaseName, deterministicCollation: true))
            {
                equal.Add($"t.{Name(column)} operator(pg_catalog.=) {value}::{Type(column)}");
            }

            equal.Add($"t.{Name(column)}::text collate pg_catalog.\"C\" = ({value}::{declared[column]})::text collate pg_catalog.\"C\"");
        }

        return $"with v as (select t.tableoid as o, t.ctid as c from {table} as t where {string.Join(" and ", equal)} limit 1)";
    }

    private static string Parameter(NpgsqlBatchCommand command, ChangeBatch batch, ValueSlot slot)
    {
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Text(batch, slot)!, NpgsqlDbType = NpgsqlDbType.Text });
        return $"${command.Parameters.Count}::text";
    }

    private static string? Text(ChangeBatch batch, ValueSlot slot) => slot.State == ColumnState.Value ? Encoding.UTF8.GetString(batch.Value(slot)) : null;

    private string Name(int column) => TableName.Quote(route.Target.Columns[column].Name);

    private string Type(int column) => route.Target.Columns[column].Type.Sql;
}
