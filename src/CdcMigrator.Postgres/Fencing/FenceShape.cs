using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using Npgsql;
using NpgsqlTypes;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>Whether the tables are such that they can be fenced by this role, and the fence is as the side's row says.</summary>
internal static class FenceShape
{
    private const string Relations = $"""
        select c.oid::regclass::text, pg_catalog.pg_get_userbyid(c.relowner)::text, pg_catalog.pg_has_role(c.relowner, 'USAGE'), c.relpersistence = 'u',
            array(select g.tgname::text from pg_catalog.pg_trigger g where g.tgrelid = c.oid and not g.tgisinternal and g.tgenabled in ('A', 'R') and g.tgfoid is distinct from fence.oid order by 1),
            count(g.oid) filter (where g.tgenabled = 'D'), count(g.oid) filter (where g.tgenabled in ('O', 'A')), fence.oid is not null, t.rows,
            array(select i.inhparent::regclass::text from pg_catalog.pg_inherits i where i.inhrelid = c.oid and i.inhparent <> all($1) order by 1), current_user::text,
            coalesce(bool_or(g.tgtype & 1 = 0), false) and (not t.rows or coalesce(bool_or(g.tgtype & 1 = 1), false))
        from unnest($1::oid[], $2::bool[]) with ordinality as t(oid, rows, place) join pg_catalog.pg_class c on c.oid = t.oid
        cross join (select pg_catalog.to_regprocedure('{FenceTriggers.Function}') as oid) as fence
        left join pg_catalog.pg_trigger g on g.tgrelid = c.oid and g.tgfoid = fence.oid
        group by c.oid, c.relowner, c.relpersistence, fence.oid, t.rows, t.place order by t.place
        """;

    private const string Foreign = FencedRelations.Tree + "select c.oid::regclass::text from named join pg_catalog.pg_class c using (oid) where c.relkind = 'f' order by 1";

    private const string Server = """
        select current_setting('max_locks_per_transaction')::bigint * (current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint),
            (select rolsuper from pg_catalog.pg_roles where rolname = current_user)
                or pg_catalog.has_parameter_privilege('deadlock_timeout', 'SET'),
            current_setting('deadlock_timeout'), current_user::text
        """;

    public static async Task<IReadOnlyList<Finding>> FindAsync(
        NpgsqlConnection connection, string side, string migration, IReadOnlyList<TableName> tables, IReadOnlyList<FencedRelation> all, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        foreach (var table in tables.Except(all.Select(relation => relation.Name)))
        {
            findings.Add(new(Severity.Error, "missing-table", $"The {side} has no table {table}: nothing there can be fenced", "Correct 'tables:' in the migration file") { Table = table.ToString() });
        }

        var open = await IsOpenAsync(connection, migration, cancellationToken);
        var passes = open is true && await FenceTriggers.PassAsync(connection, hold: false, cancellationToken);
        await using (var command = new NpgsqlCommand(Relations, connection)
        {
            Parameters =
            {
                new NpgsqlParameter { Value = all.Select(relation => relation.Oid).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Oid },
                new NpgsqlParameter { Value = all.Select(relation => relation.NeedsRows).ToArray() },
            },
        })
        {
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                findings.AddRange(OfRelation(reader, side, open, passes).Select(finding => finding with { Table = reader.GetString(0) }));
            }
        }

        await using (var command = FencedRelations.Command(connection, Foreign, tables))
        {
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                findings.Add(new(Severity.Error, "fence-foreign-partition", $"{reader.GetString(0)} is a foreign table below a table of the migration: its rows are in another server, which the {side} neither logs nor fences",
                    $"DETACH it, and move it from its own server")
                { Table = reader.GetString(0) });
            }
        }

        findings.AddRange(await OfServerAsync(connection, side, all.Count, cancellationToken));
        return findings;
    }

    private static IEnumerable<Finding> OfRelation(NpgsqlDataReader row, string side, bool? open, bool passes)
    {
        var (table, owner) = (row.GetString(0), row.GetString(1));
        if (!row.GetBoolean(2))
        {
            yield return new(Severity.Error, "fence-ownership", $"Role {row.GetString(10)} does not own {table} in the {side}, so it cannot fence it: {owner} does", $"GRANT {TableName.Quote(owner)} TO {TableName.Quote(row.GetString(10))}");
        }

        if (row.GetBoolean(3))
        {
            yield return new(Severity.Error, "unlogged", $"{table} in the {side} is UNLOGGED: its changes are not in the log", $"ALTER TABLE {table} SET LOGGED");
        }

        if (row.GetFieldValue<string[]>(4) is { Length: > 0 } fire)
        {
            yield return new(Severity.Warning, "trigger-fires", $"Triggers of {table} in the {side} fire for applied changes too: {string.Join(", ", fire)}", $"ALTER TABLE {table} DISABLE TRIGGER … while changes are applied there, unless that is meant");
        }

        if (row.GetFieldValue<string[]>(9) is { Length: > 0 } parents)
        {
            yield return new(Severity.Info, "fence-parent-outside", $"Rows of {table} can be written in the {side} by way of {string.Join(", ", parents)}, which is not moved: they are denied there row by row");
        }

        var (disabled, enabled, complete) = (row.GetInt64(5), row.GetInt64(6), row.GetBoolean(11));
        if (open is null || !row.GetBoolean(7))
        {
            yield break;
        }

        if (open.Value && enabled > 0)
        {
            yield return passes
                ? new(Severity.Info, "fence-lifting", $"{table} has the fence's triggers enabled still in the {side}, which was opened while something held the table's lock: they let writes pass, and are disabled once it is free")
                : new(Severity.Error, "fence-state", $"{table} denies writes although the {side} is open", "Take the fence away with the SQL that 'cdcm cutover sql -f FILE' prints, or: ALTER TABLE … DISABLE TRIGGER cdcm_fence");
        }
        else if (!open.Value && (disabled > 0 || !complete))
        {
            yield return new(Severity.Error, "fence-state", $"{table} takes writes although the {side} is closed: a trigger of the fence is {(disabled > 0 ? "disabled" : "missing")}", "Close it in a new attempt, and compare the table");
        }
        else if (!complete && open.Value)
        {
            yield return new(Severity.Info, "fence-trigger-missing", $"{table} came to the {side} after it was prepared: it gets its trigger with the close");
        }
    }

    private static async Task<IReadOnlyList<Finding>> OfServerAsync(NpgsqlConnection connection, string side, int relations, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        await using var command = new NpgsqlCommand(connection.PostgreSqlVersion.Major >= 15 ? Server : Server.Replace("pg_catalog.has_parameter_privilege('deadlock_timeout', 'SET')", "false", StringComparison.Ordinal), connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        if (relations * 2L > reader.GetInt64(0))
        {
            findings.Add(new(Severity.Warning, "fence-lock-table", $"The {side} has room for {reader.GetInt64(0):N0} locks, and the fence takes one on each of {relations:N0} tables", "Raise max_locks_per_transaction"));
        }

        if (!reader.GetBoolean(1))
        {
            findings.Add(new(Severity.Info, "fence-deadlock-timeout", $"Role {reader.GetString(3)} may not set deadlock_timeout in the {side}: an autovacuum gives way to the fence only after {reader.GetString(2)}",
                $"On PostgreSQL 15 or newer: GRANT SET ON PARAMETER deadlock_timeout TO {TableName.Quote(reader.GetString(3))}"));
        }

        return findings;
    }

    /// <summary>Null before the side was prepared.</summary>
    private static async Task<bool?> IsOpenAsync(NpgsqlConnection connection, string migration, CancellationToken cancellationToken)
    {
        await using (var exists = new NpgsqlCommand("select pg_catalog.to_regclass('cdc_migrator.fence_state') is not null", connection))
        {
            if (await exists.ExecuteScalarAsync(cancellationToken) is not true)
            {
                return null;
            }
        }

        await using var command = new NpgsqlCommand("select state = 'open' from cdc_migrator.fence_state where migration = $1", connection) { Parameters = { new NpgsqlParameter { Value = migration } } };
        return await command.ExecuteScalarAsync(cancellationToken) as bool?;
    }
}
