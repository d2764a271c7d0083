using System.Globalization;
using System.Text;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using Npgsql;
using NpgsqlTypes;

namespace CdcMigrator.Postgres.Apply;

/// <summary>
/// Finds, and where it may removes, the row that holds a unique value. A holder may go if the source's row of that key no longer is
/// in the way: then a change of it is in the log, not yet applied, which writes the row again, completed from the source.
/// </summary>
internal sealed class UniqueHolder(RoutePlans plans, ISourceRows? source)
{
    private readonly Dictionary<(TableRoute Route, TableName Table, string Index), UniqueRule?> rules = [];

    /// <summary>The row that a row is refused for; null where it, or the index, is gone by now.</summary>
    /// <param name="connection">Where to look.</param>
    /// <param name="net">The refused row's net effect, its only row.</param>
    /// <param name="cause">The refusal.</param>
    /// <param name="keep">Whether to lock the row, so that it stays as found until the transaction ends.</param>
    /// <param name="cancellationToken">Stops the queries.</param>
    public async Task<Holder?> FindAsync(NpgsqlConnection connection, NetEffect net, Exception cause, bool keep, CancellationToken cancellationToken)
    {
        var route = net.RouteOf(net.Rows[0]);
        if (await RuleAsync(connection, route, cause, cancellationToken) is not { } rule)
        {
            return null;
        }

        var keys = (await plans.GetAsync(connection, route, cancellationToken)).Keys;
        await using var command = new NpgsqlCommand { Connection = connection };
        command.CommandText = $"""
            with {RefusedRow(command, net, rule, keys)}
            select {string.Join(", ", keys.Select(key => $"h.{key.Sql}::text"))} from {rule.Table.Sql} as h
            where {rule.CollidesWith("refused")} and not ({IsKey(command, keys, "h", KeyOf(net, route))}) limit 1{(keep ? " for update of h" : "")}
            """;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? new Holder([.. keys.Select((_, i) => reader.GetString(i))], rule) : null;
    }

    /// <summary>Removes the holder, within the transaction that found and locked it, if the source says that it may go.</summary>
    public async Task<bool> TryRemoveAsync(NpgsqlConnection connection, NetEffect net, Holder holder, CancellationToken cancellationToken)
    {
        if (source is null)
        {
            return false;
        }

        // The lock comes first, then the question which transactions run, then the read that sees them all: so what is read is not older
        // than what the target has, and a difference lies in the future of the log.
        var route = net.RouteOf(net.Rows[0]);
        var columns = holder.Rule.Columns.Where(column => net.Slots(net.Rows[0])[column].State != ColumnState.Absent).ToArray();
        var running = await source.ReadRunningAsync(cancellationToken);
        var rows = await ReadAsync(source, route, holder.Key, columns, running, cancellationToken);
        var keys = (await plans.GetAsync(connection, route, cancellationToken)).Keys;
        if (rows[0] is { } now && await StillCollidesAsync(connection, net, holder, keys, columns, now, cancellationToken))
        {
            return false;
        }

        await using var command = new NpgsqlCommand { Connection = connection };
        command.CommandText = $"delete from {route.Target.Name.Sql} as h where {IsKey(command, keys, "h", holder.Key)}";
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    private static async Task<IReadOnlyList<string?[]?>> ReadAsync(
        ISourceRows source, TableRoute route, string[] key, int[] columns, IReadOnlyCollection<uint> transactions, CancellationToken cancellationToken)
    {
        try
        {
            return await source.ReadAsync(route, [key], columns, transactions, cancellationToken);
        }
        catch (SourceValueException refused)
        {
            throw new FaultException(refused.Fault with { Table = route.Source.ToString(), Key = KeyText.Of(route, key) }, refused);
        }
    }

    /// <summary>Whether the holder would be in the way with the source's values too. Columns the source does not have are the target's own.</summary>
    private static async Task<bool> StillCollidesAsync(
        NpgsqlConnection connection, NetEffect net, Holder holder, IReadOnlyList<KeyColumn> keys, int[] columns, string?[] now, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand { Connection = connection };
        var rule = holder.Rule;
        var route = net.RouteOf(net.Rows[0]);
        var row = rule.Row("now", column => Array.IndexOf(columns, column) is >= 0 and var place
            ? Parameter(command, now[place])
            : Own(command, rule, route, keys, column, holder.Key));
        command.CommandText = $"with {RefusedRow(command, net, rule, keys)}, {row} select exists (select from now where {rule.CollidesWith("refused")})";
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    private async ValueTask<UniqueRule?> RuleAsync(NpgsqlConnection connection, TableRoute route, Exception cause, CancellationToken cancellationToken)
    {
        var (table, index) = cause is PostgresException { ConstraintName: { } constraint, SchemaName: { } schema, TableName: { } name }
            ? (new TableName(schema, name), constraint)
            : (route.Target.Name, route.Key.Name);
        if (!rules.TryGetValue((route, table, index), out var rule))
        {
            rules[(route, table, index)] = rule = await UniqueRule.ReadAsync(connection, route, table, index, cancellationToken);
        }

        return rule;
    }

    /// <summary>The refused row as it would be: what the event does not carry is what the target's row has.</summary>
    private static string RefusedRow(NpgsqlCommand command, NetEffect net, UniqueRule rule, IReadOnlyList<KeyColumn> keys)
    {
        var route = net.RouteOf(net.Rows[0]);
        return rule.Row("refused", column => net.Slots(net.Rows[0])[column] switch
        {
            { State: ColumnState.Value } slot => Parameter(command, Encoding.UTF8.GetString(net.Batch.Value(slot))),
            { State: ColumnState.Null } => "null",
            _ => Own(command, rule, route, keys, column, KeyOf(net, route)),
        });
    }

    private static string Own(NpgsqlCommand command, UniqueRule rule, TableRoute route, IReadOnlyList<KeyColumn> keys, int column, string[] key) =>
        $"select o.{TableName.Quote(route.Target.Columns[column].Name)} from {rule.Table.Sql} as o where {IsKey(command, keys, "o", key)}";

    private static string[] KeyOf(NetEffect net, TableRoute route) =>
        [.. route.Key.Columns.Select(column => Encoding.UTF8.GetString(net.Batch.Value(net.Slots(net.Rows[0])[column])))];

    private static string IsKey(NpgsqlCommand command, IReadOnlyList<KeyColumn> keys, string alias, string[] key) =>
        string.Join(" and ", keys.Select((column, i) => column.Matches(alias, Parameter(command, key[i]))));

    private static string Parameter(NpgsqlCommand command, string? value)
    {
        command.Parameters.Add(new NpgsqlParameter { Value = (object?)value ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        return string.Create(CultureInfo.InvariantCulture, $"${command.Parameters.Count}::text");
    }
}
