using System.Text;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Tables;
using Npgsql;
using NpgsqlTypes;

namespace CdcMigrator.Postgres.Apply;

/// <summary>
/// Finds, and where it may removes, the row that holds a unique value. A holder may go if the source's row of that key no longer has
/// the value: then a change of it is in the log, not yet applied, which writes the row again, completed from the source.
/// </summary>
internal sealed class UniqueHolder(RoutePlans plans, ISourceRows? source)
{
    private const string Shape = """
        select i.indnkeyatts::int, pg_catalog.pg_get_expr(i.indpred, i.indrelid), i.indisexclusion
        from pg_catalog.pg_index i join pg_catalog.pg_class ic on ic.oid = i.indexrelid where i.indrelid = pg_catalog.to_regclass($1) and ic.relname = $2
        """;

    /// <summary>The row that has the values a row is refused for; null where the index is not over plain columns, or it is gone by now.</summary>
    /// <param name="connection">Where to look.</param>
    /// <param name="net">The refused row's net effect, its only row.</param>
    /// <param name="cause">The refusal.</param>
    /// <param name="keep">Whether to lock the row, so that it stays as found until the transaction ends.</param>
    /// <param name="cancellationToken">Stops the queries.</param>
    public async Task<Holder?> FindAsync(NpgsqlConnection connection, NetEffect net, Exception cause, bool keep, CancellationToken cancellationToken)
    {
        var route = net.RouteOf(net.Rows[0]);
        var index = cause is PostgresException { ConstraintName: { } constraint } ? constraint : route.Key.Name;
        var (columns, predicate) = await IndexAsync(connection, route, index, cancellationToken);
        if (columns is null || columns.Any(column => net.Slots(net.Rows[0])[column.Ordinal].State != ColumnState.Value))
        {
            return null;
        }

        var keys = (await plans.GetAsync(connection, route, cancellationToken)).Keys;
        var where = string.Join(" and ", columns.Select((column, i) => $"{column.Sql} {column.Equality} ${i + 1}::text::{column.Type}").Append(predicate ?? "true"));
        await using var command = new NpgsqlCommand(
            $"select {string.Join(", ", keys.Concat(columns).Select(column => $"{column.Sql}::text"))} from {route.Target.Name.Sql} where {where} limit 1{(keep ? " for update" : "")}", connection);
        AddText(command, columns.Select(column => Encoding.UTF8.GetString(net.Batch.Value(net.Slots(net.Rows[0])[column.Ordinal]))));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new Holder(
                [.. keys.Select((_, i) => reader.GetString(i))],
                columns,
                [.. columns.Select((_, i) => reader.GetString(keys.Count + i))])
            : null;
    }

    /// <summary>Removes the holder, within the transaction that found and locked it, if the source says that it may go.</summary>
    public async Task<bool> TryRemoveAsync(NpgsqlConnection connection, TableRoute route, Holder holder, CancellationToken cancellationToken)
    {
        if (source is null)
        {
            return false;
        }

        // The lock comes first, then the question which transactions run, then the read that sees them all: so what is read is not older
        // than what the target has, and a difference lies in the future of the log.
        var running = await source.ReadRunningAsync(cancellationToken);
        var rows = await source.ReadAsync(route, [holder.Key], [.. holder.Columns.Select(column => column.Ordinal)], running, cancellationToken);
        if (rows[0] is { } now && !await DiffersAsync(connection, holder, now, cancellationToken))
        {
            return false;
        }

        var keys = (await plans.GetAsync(connection, route, cancellationToken)).Keys;
        await using var command = new NpgsqlCommand(
            $"delete from {route.Target.Name.Sql} where {string.Join(" and ", keys.Select((key, i) => $"{key.Sql} {key.Equality} ${i + 1}::text::{key.Type} and {key.Sql}::text = ${i + 1}::text"))}", connection);
        AddText(command, holder.Key);
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    /// <summary>Compares as the column would hold the source's value, so that another declaration of the type makes no difference.</summary>
    private static async Task<bool> DiffersAsync(NpgsqlConnection connection, Holder holder, string?[] now, CancellationToken cancellationToken)
    {
        if (now.Contains(null))
        {
            return true;
        }

        var same = string.Join(" and ", holder.Columns.Select((column, i) => $"${(2 * i) + 1}::text::{column.Declared}::text = ${(2 * i) + 2}::text"));
        await using var command = new NpgsqlCommand($"select not ({same})", connection);
        AddText(command, now.Zip(holder.Values).SelectMany(pair => new[] { pair.First!, pair.Second }));
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    private static async Task<(IReadOnlyList<KeyColumn>? Columns, string? Predicate)> IndexAsync(
        NpgsqlConnection connection, TableRoute route, string index, CancellationToken cancellationToken)
    {
        int count;
        string? predicate;
        await using (var command = new NpgsqlCommand(Shape, connection))
        {
            AddText(command, [route.Target.Name.Sql, index]);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            if (!await reader.ReadAsync(cancellationToken) || reader.GetBoolean(2))
            {
                return (null, null);
            }

            (count, predicate) = (reader.GetInt32(0), await reader.IsDBNullAsync(1, cancellationToken) ? null : reader.GetString(1));
        }

        var columns = await IndexColumns.ReadAsync(connection, route, index, cancellationToken);
        return (columns.Count == count ? columns : null, predicate);
    }

    private static void AddText(NpgsqlCommand command, IEnumerable<string> values)
    {
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value, NpgsqlDbType = NpgsqlDbType.Text });
        }
    }
}
