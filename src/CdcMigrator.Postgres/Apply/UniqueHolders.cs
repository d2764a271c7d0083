using System.Globalization;
using System.Text;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Tables;
using Npgsql;
using NpgsqlTypes;

namespace CdcMigrator.Postgres.Apply;

/// <summary>What <see cref="UniqueHolder"/> does for one refused row, for all rows of a range in one statement each.</summary>
internal sealed class UniqueHolders(RoutePlans plans)
{
    private readonly Dictionary<(TableRoute Route, TableName Table, string Index), UniqueRule?> rules = [];

    /// <summary>Finds and locks the rows that hold what rows of the range need, by the index that refused one of them; null where that is the key's or gone.</summary>
    public async Task<FoundHolders?> FindAsync(NpgsqlConnection connection, NetEffect net, TableRoute route, PostgresException cause, CancellationToken cancellationToken)
    {
        if (cause is not { ConstraintName: { } index, SchemaName: { } schema, TableName: { } name } || await RuleAsync(connection, route, new TableName(schema, name), index, cancellationToken) is not { } rule)
        {
            return null;
        }

        var rows = Enumerable.Range(0, net.Rows.Length).Where(row => Carries(net, row, rule)).ToArray();
        var keys = (await plans.GetAsync(connection, route, cancellationToken)).Keys;
        await using var command = new NpgsqlCommand { Connection = connection };
        var refused = Refused(command, net, rule, rows);

        // In the order of their keys, so that lanes which lock the same rows wait for each other and do not lock each other up.
        command.CommandText = $"""
            with {refused}
            select refused."cdcm n", {string.Join(", ", keys.Select(key => $"h.{key.Sql}::text"))} from refused join {rule.Table.Sql} as h on {rule.CollidesWithEach("refused")}
            where not ({string.Join(" and ", keys.Select((key, i) => key.Matches("h", $"refused.\"cdcm k{i}\"")))})
            order by {string.Join(", ", keys.Select(key => $"h.{key.Sql}"))} for update of h
            """;
        var holders = new Dictionary<string, int>(StringComparer.Ordinal);
        var found = new List<string[]>();
        var pairs = new List<(int, int)>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            string[] key = [.. keys.Select((_, i) => reader.GetString(i + 1))];
            if (!holders.TryGetValue(string.Join('\0', key), out var holder))
            {
                holders.Add(string.Join('\0', key), holder = found.Count);
                found.Add(key);
            }

            pairs.Add((reader.GetInt32(0), holder));
        }

        return new FoundHolders(rule, found, pairs);
    }

    /// <summary>The pairs whose holder would be in the way with the source's values too.</summary>
    /// <param name="connection">The target.</param>
    /// <param name="net">The range.</param>
    /// <param name="found">The holders.</param>
    /// <param name="now">The source's values of their <see cref="UniqueRule.Columns"/>; null where it has no such row any more.</param>
    /// <param name="cancellationToken">Stops the query.</param>
    public static async Task<HashSet<(int Row, int Holder)>> StillInTheWayAsync(
        NpgsqlConnection connection, NetEffect net, FoundHolders found, IReadOnlyList<string?[]?> now, CancellationToken cancellationToken)
    {
        int[] present = [.. Enumerable.Range(0, now.Count).Where(holder => now[holder] is not null)];
        await using var command = new NpgsqlCommand { Connection = connection };
        var refused = Refused(command, net, found.Rule, [.. found.Pairs.Select(pair => pair.Row).Distinct()]);
        var source = found.Rule.Rows("now", Numbers(command, present), [],
            [.. found.Rule.Columns.Select((_, i) => Texts(command, [.. present.Select(holder => now[holder]![i])]))]);
        var rows = Numbers(command, [.. found.Pairs.Select(pair => pair.Row)]);
        var holders = Numbers(command, [.. found.Pairs.Select(pair => pair.Holder)]);
        command.CommandText = $"""
            with {refused}, {source}
            select p."cdcm r", p."cdcm h" from unnest({rows}, {holders}) as p("cdcm r", "cdcm h")
            join refused on refused."cdcm n" = p."cdcm r" join now on now."cdcm n" = p."cdcm h" and {found.Rule.Collide("now", "refused")}
            """;
        var still = new HashSet<(int, int)>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            still.Add((reader.GetInt32(0), reader.GetInt32(1)));
        }

        return still;
    }

    /// <summary>Removes rows that were found and locked. Returns how many.</summary>
    public async Task<int> RemoveAsync(NpgsqlConnection connection, TableRoute route, IReadOnlyList<string[]> holders, CancellationToken cancellationToken)
    {
        var keys = (await plans.GetAsync(connection, route, cancellationToken)).Keys;
        await using var command = new NpgsqlCommand { Connection = connection };
        var arrays = string.Join(", ", keys.Select((_, i) => Texts(command, [.. holders.Select(holder => holder[i])])));
        command.CommandText = $"""
            delete from {route.Target.Name.Sql} as h using unnest({arrays}) as s({string.Join(", ", keys.Select((_, i) => $"\"cdcm k{i}\""))})
            where {string.Join(" and ", keys.Select((key, i) => key.Matches("h", $"s.\"cdcm k{i}\"")))}
            """;
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Rows that are written with every value the rule looks at; others are left to be dealt with one by one.</summary>
    private static bool Carries(NetEffect net, int row, UniqueRule rule)
    {
        if (net.Rows[row].Kind == WriteKind.None)
        {
            return false;
        }

        var slots = net.Slots(net.Rows[row]);
        foreach (var column in rule.Columns)
        {
            if (slots[column].State is not (ColumnState.Value or ColumnState.Null))
            {
                return false;
            }
        }

        return true;
    }

    private static string Refused(NpgsqlCommand command, NetEffect net, UniqueRule rule, int[] rows)
    {
        var route = net.RouteOf(net.Rows[rows.Length == 0 ? 0 : rows[0]]);
        return rule.Rows("refused", Numbers(command, rows), [.. route.Key.Columns.Select(Column)], [.. rule.Columns.Select(Column)]);

        string Column(int column) => Texts(command, [.. rows.Select(row =>
        {
            var slot = net.Slots(net.Rows[row])[column];
            return slot.State == ColumnState.Value ? Encoding.UTF8.GetString(net.Batch.Value(slot)) : null;
        })]);
    }

    private async ValueTask<UniqueRule?> RuleAsync(NpgsqlConnection connection, TableRoute route, TableName table, string index, CancellationToken cancellationToken)
    {
        if (!rules.TryGetValue((route, table, index), out var rule))
        {
            rules[(route, table, index)] = rule = await UniqueRule.ReadAsync(connection, route, table, index, cancellationToken);
        }

        return rule;
    }

    private static string Texts(NpgsqlCommand command, string?[] values) => Parameter(command, values, NpgsqlDbType.Text, "text");

    private static string Numbers(NpgsqlCommand command, int[] values) => Parameter(command, values, NpgsqlDbType.Integer, "int");

    private static string Parameter<T>(NpgsqlCommand command, T[] values, NpgsqlDbType type, string sql)
    {
        command.Parameters.Add(new NpgsqlParameter<T[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | type });
        return string.Create(CultureInfo.InvariantCulture, $"${command.Parameters.Count}::{sql}[]");
    }
}
