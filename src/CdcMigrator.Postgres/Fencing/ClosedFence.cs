using CdcMigrator.Domain.Tables;
using Npgsql;
using NpgsqlTypes;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>
/// Tells whether a fence held from its close on. Nobody can be kept from altering his own tables, but it shows: a trigger that was touched is another row of the catalog than the one the closing transaction
/// wrote, a table that was written anew has another file, and one that came or went is not among those that were closed.
/// </summary>
internal static class ClosedFence
{
    /// <summary>What the journal calls it when a side is closed that should not have been open.</summary>
    public const string ShutEvent = "side-shut";

    /// <summary>Notes the closing transaction and what it closed in the side's journal.</summary>
    public static async Task NoteAsync(
        NpgsqlConnection connection, string migration, string actor, string token, IReadOnlyList<FencedRelation> all, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("""
            insert into cdc_migrator.journal (migration, actor, event, evidence)
            select migration, $2, 'fence-closed', pg_catalog.jsonb_build_object('token', token, 'epoch', epoch, 'lease_until', lease_until, 'transaction', pg_catalog.txid_current(),
                'relations', (select coalesce(pg_catalog.jsonb_object_agg(oid, file), '{}') from unnest($4::oid[], $5::oid[]) as t(oid, file)))
            from cdc_migrator.fence_state where migration = $1 and token = $3
            """, connection)
        {
            Parameters =
            {
                new NpgsqlParameter { Value = migration }, new NpgsqlParameter { Value = actor }, new NpgsqlParameter { Value = token },
                Oids(all.Select(relation => relation.Oid)), Oids(all.Select(relation => relation.FileNode)),
            },
        };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Whether a side's journal knows that an attempt came to this there.</summary>
    public static async Task<bool> WasNotedAsync(NpgsqlConnection connection, string migration, string noted, string token, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select exists (select from cdc_migrator.journal where migration = $1 and event = $2 and evidence ->> 'token' = $3)", connection);
        foreach (var value in new[] { migration, noted, token })
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    /// <summary>Since when a side is closed because it said that it was open though the other one was opened later; null where it is not so, or it has been opened since.</summary>
    public static async Task<DateTimeOffset?> FindShutAsync(NpgsqlDataSource database, string migration, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("""
            select max(j.at)::timestamptz from cdc_migrator.journal j join cdc_migrator.fence_state f on f.migration = j.migration
            where j.migration = $1 and j.event = $2 and f.state <> 'open' and j.evidence ->> 'token' = f.token
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = migration });
        command.Parameters.Add(new NpgsqlParameter { Value = ShutEvent });
        return await command.ExecuteScalarAsync(cancellationToken) is DateTime at ? new DateTimeOffset(at, TimeSpan.Zero) : null;
    }

    /// <summary>What is or was open, one sentence each.</summary>
    /// <param name="connection">A session of the side.</param>
    /// <param name="migration">Name of the migration.</param>
    /// <param name="token">The attempt that closed; null only looks at what is so now.</param>
    /// <param name="tables">Tables of the migration.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<IReadOnlyList<string>> FindGapsAsync(
        NpgsqlConnection connection, string migration, string? token, IReadOnlyList<TableName> tables, CancellationToken cancellationToken)
    {
        var all = await FencedRelations.ReadAsync(connection, tables, cancellationToken);
        List<string> gaps = [];
        await using (var command = new NpgsqlCommand($"""
            with closing as (
                select evidence, id from cdc_migrator.journal where migration = $1 and event = 'fence-closed' and evidence ->> 'token' = $2 and evidence ? 'transaction'),
            closed as (select r.key::oid as oid, r.value::oid as file from (select evidence from closing order by id desc limit 1) c, pg_catalog.jsonb_each_text(c.evidence -> 'relations') r),
            seen as (select t.* from unnest($3::oid[], $4::oid[], $5::text[], $6::bool[]) as t(oid, file, name, rows)),
            guards as (
                select g.tgrelid, g.tgtype & 1 = 1 as row, g.tgenabled in ('O', 'A') as enabled,
                    exists (select from closing) and g.xmin::text::bigint not in (select (evidence ->> 'transaction')::bigint % 4294967296 from closing) as touched
                from pg_catalog.pg_trigger g join seen on seen.oid = g.tgrelid where g.tgfoid = pg_catalog.to_regprocedure('{FenceTriggers.Function}'))
            select seen.name || ' has no enabled trigger of the fence' from seen
                where not exists (select from guards g where g.tgrelid = seen.oid and not g.row and g.enabled)
                    or seen.rows and not exists (select from guards g where g.tgrelid = seen.oid and g.row and g.enabled)
            union all
            select distinct seen.name || ' had its trigger of the fence altered' from seen join guards g on g.tgrelid = seen.oid and g.touched
            union all
            select coalesce(seen.name || ' came', (select c.oid::regclass::text from pg_catalog.pg_class c where c.oid = closed.oid) || ' was detached or renamed', 'a table (oid ' || closed.oid || ') was dropped')
                from seen full join closed on closed.oid = seen.oid where exists (select from closing) and (seen.oid is null or closed.oid is null)
            union all
            select seen.name || ' was written anew (TRUNCATE, ALTER TABLE, CLUSTER or VACUUM FULL)' from seen join closed on closed.oid = seen.oid and closed.file <> seen.file
            union all
            select pg_catalog.format('subscription %s writes into %s', s.subname, seen.name) from seen
                join pg_catalog.pg_subscription_rel r on r.srrelid = seen.oid join pg_catalog.pg_subscription s on s.oid = r.srsubid where s.subenabled
            order by 1
            """, connection)
        {
            Parameters =
            {
                new NpgsqlParameter { Value = migration }, new NpgsqlParameter { Value = token ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
                Oids(all.Select(relation => relation.Oid)), Oids(all.Select(relation => relation.FileNode)),
                new NpgsqlParameter { Value = all.Select(relation => relation.Name.ToString()).ToArray() }, new NpgsqlParameter { Value = all.Select(relation => relation.NeedsRows).ToArray() },
            },
        })
        {
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                gaps.Add(reader.GetString(0));
            }
        }

        return gaps;
    }

    private static NpgsqlParameter Oids(IEnumerable<uint> oids) => new() { Value = oids.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Oid };
}
