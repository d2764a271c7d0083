using CdcMigrator.Domain.Tables;
using Npgsql;
using NpgsqlTypes;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>
/// The triggers that deny writes. One a statement on every relation; on top of a partition tree, and where rows can come under the name of a parent that is not fenced, one a row: PostgreSQL copies
/// that one to partitions that are created or attached later, as enabled as it is. All are recognised by their function, whatever they are called.
/// <para>
/// Enabled, they let pass what is written while every row of <c>cdc_migrator.fence_state</c> says open: so an undo or an opening is a row's change, though maintenance that began behind the close holds what disabling
/// a trigger needs. The row is locked for that: a transaction whose snapshot is of before the close would see it open still.
/// </para>
/// </summary>
internal static class FenceTriggers
{
    /// <summary>Sessions that apply changes say so, beside their replica role: under triggers that always fire they alone pass.</summary>
    public const string ApplierSetting = "cdc_migrator.applier";

    /// <summary>Name of the statement trigger.</summary>
    public const string Statement = "cdcm_fence";

    /// <summary>The function, for to_regprocedure.</summary>
    public const string Function = "cdc_migrator.deny_write()";

    /// <summary>A copy that a partition has of its parent's trigger: it follows that one. (Before version 13 it was an internal trigger.)</summary>
    public const string IsCopy = "(g.tgisinternal or coalesce(to_jsonb(g) ->> 'tgparentid', '0') <> '0')";

    private const string Passes = $"when (pg_catalog.current_setting('session_replication_role') <> 'replica' or pg_catalog.current_setting('{ApplierSetting}', true) is distinct from 'on')";

    /// <summary>What the triggers need; may be repeated.</summary>
    public const string Prepare = """
        create schema if not exists cdc_migrator;
        create table if not exists cdc_migrator.fence(id text primary key, v text);
        create or replace function cdc_migrator.deny_write() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
        declare
            is_open boolean := false;
        begin
            if to_regclass('cdc_migrator.fence_state') is not null then
                select coalesce(bool_and(state = 'open'), false) into is_open from cdc_migrator.fence_state;
                if is_open then
                    select coalesce(bool_and(f.state = 'open'), false) into is_open from (select state from cdc_migrator.fence_state for share) f;
                end if;
            end if;
            if not is_open then
                raise exception 'writes to %.% are closed: the database is being moved', tg_table_schema, tg_table_name
                    using errcode = 'read_only_sql_transaction', hint = 'the application must write to the new database';
            end if;
            return null;
        end $body$;
        grant usage on schema cdc_migrator to public;
        """;

    /// <summary>SQL that creates what is missing, disabled; empty where nothing is.</summary>
    public static async Task<string> MissingAsync(NpgsqlConnection connection, IReadOnlyList<FencedRelation> all, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"""
            select g.tgrelid, g.tgtype & 1 = 1 from pg_catalog.pg_trigger g
            where g.tgfoid = pg_catalog.to_regprocedure('{Function}') and g.tgrelid = any($1) and not {IsCopy}
            """, connection)
        { Parameters = { new NpgsqlParameter { Value = all.Select(relation => relation.Oid).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Oid } } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var there = new HashSet<(uint, bool)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            there.Add((reader.GetFieldValue<uint>(0), reader.GetBoolean(1)));
        }

        return AtOnce(all.SelectMany(relation => Wanted(relation).Where(wanted => !there.Contains((relation.Oid, wanted.Row))).Select(wanted => wanted.Sql)));
    }

    /// <summary>SQL that enables every trigger the relations have: <c>enable</c> or <c>enable always</c>. One that is enabled already is written anew, for whoever looks later which transaction did so (<see cref="ClosedFence"/>).</summary>
    public static async Task<string> EnableAsync(NpgsqlConnection connection, IReadOnlyList<FencedRelation> all, string verb, CancellationToken cancellationToken) => AtOnce(
        (await ReadAsync(connection, all, cancellationToken)).Select(trigger => $"{(trigger.Enabled ? Alter(trigger, "disable") : "")}{Alter(trigger, verb)}"));

    /// <summary>SQL that disables every enabled trigger the relations have; empty where none is. A relation that came meanwhile has none, and must not keep the others from opening.</summary>
    public static async Task<string> DisableAsync(NpgsqlConnection connection, IReadOnlyList<FencedRelation> all, CancellationToken cancellationToken) => AtOnce(
        (await ReadAsync(connection, all, cancellationToken)).Where(trigger => trigger.Enabled).Select(trigger => Alter(trigger, "disable")));

    /// <summary>Whether enabled triggers let writes pass as this session sees the rows: each says open, and the function is one that looks.</summary>
    /// <param name="connection">The session.</param>
    /// <param name="hold">Whether no row may change until the transaction ends; else no lock is taken.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<bool> PassAsync(NpgsqlConnection connection, bool hold, CancellationToken cancellationToken)
    {
        await using (var looks = new NpgsqlCommand($"""
            select pg_catalog.to_regclass('cdc_migrator.fence_state') is not null and exists (select from pg_catalog.pg_proc p where p.oid = pg_catalog.to_regprocedure('{Function}') and p.prosecdef)
            """, connection))
        {
            if (await looks.ExecuteScalarAsync(cancellationToken) is not true)
            {
                return false;
            }
        }

        await using var open = new NpgsqlCommand($"select coalesce(bool_and(f.state = 'open'), false) from (select state from cdc_migrator.fence_state {(hold ? "for share" : "")}) f", connection);
        return await open.ExecuteScalarAsync(cancellationToken) is true;
    }

    /// <summary>SQL that removes every trigger the relations have.</summary>
    public static async Task<string> DropAsync(NpgsqlConnection connection, IReadOnlyList<FencedRelation> all, CancellationToken cancellationToken) => AtOnce(
        (await ReadAsync(connection, all, cancellationToken)).Select(trigger => $"drop trigger {TableName.Quote(trigger.Name)} on {trigger.Table.Sql};"));

    /// <summary>One statement of many: each by itself costs the protocol's messages, and all tables are locked meanwhile.</summary>
    private static string AtOnce(IEnumerable<string> statements)
    {
        var all = string.Concat(statements);
        return all.Length == 0 ? "" : $"do $cdcm$ begin {all} end $cdcm$";
    }

    private static string Alter((TableName Table, string Name, bool Enabled) trigger, string verb) => $"alter table {trigger.Table.Sql} {verb} trigger {TableName.Quote(trigger.Name)};";

    private static async Task<IReadOnlyList<(TableName Table, string Name, bool Enabled)>> ReadAsync(NpgsqlConnection connection, IReadOnlyList<FencedRelation> all, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"""
            select t.place, g.tgname::text, g.tgenabled <> 'D' from unnest($1::oid[]) with ordinality as t(oid, place)
            join pg_catalog.pg_trigger g on g.tgrelid = t.oid and g.tgfoid = pg_catalog.to_regprocedure('{Function}') and not {IsCopy} order by 1, 2
            """, connection)
        { Parameters = { new NpgsqlParameter { Value = all.Select(relation => relation.Oid).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Oid } } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var found = new List<(TableName, string, bool)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            found.Add((all[(int)reader.GetInt64(0) - 1].Name, reader.GetString(1), reader.GetBoolean(2)));
        }

        return found;
    }

    private static IEnumerable<(bool Row, string Sql)> Wanted(FencedRelation relation)
    {
        var table = relation.Name.Sql;
        yield return (false, $"""
            create trigger {Statement} before insert or update or delete or truncate on {table} for each statement {Passes} execute function {Function};
            alter table {table} disable trigger {Statement};

            """);
        if (relation.NeedsRows)
        {
            // Named after its table: a copy from a parent must find the name free. After the row, since a trigger before it takes COPY its speed even where it is disabled.
            var name = $"{Statement}_rows_{relation.Oid}";
            yield return (true, $"""
                create trigger {name} after insert or update or delete on {table} for each row {Passes} execute function {Function};
                alter table {table} disable trigger {name};

                """);
        }
    }
}
