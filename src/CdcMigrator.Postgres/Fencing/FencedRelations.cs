using CdcMigrator.Domain.Tables;
using Npgsql;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>Which relations a fence covers: the tables that exist, with everything below them.</summary>
internal static class FencedRelations
{
    /// <summary>
    /// <c>named(oid, place)</c>: the relations, from two arrays <c>$1</c> and <c>$2</c> of schemas and names. Names a statement trigger is needed on, since it fires only for the table a statement names.
    /// </summary>
    public const string Tree = """
        with recursive asked as (
            select c.oid, t.place from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            join unnest($1::text[], $2::text[]) with ordinality as t(s, r, place) on n.nspname = t.s and c.relname = t.r
            union
            select i.inhrelid, asked.place from asked join pg_catalog.pg_inherits i on i.inhparent = asked.oid),
        named as (select oid, min(place) as place from asked group by oid)
        """;

    /// <summary>
    /// In the order the migration lists them, which is the order they are locked in: the one in which applications write them waits for nobody who waits for us.
    /// </summary>
    public static async Task<IReadOnlyList<FencedRelation>> ReadAsync(NpgsqlConnection connection, IReadOnlyList<TableName> tables, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, Tree + """
            , above as (
                select i.inhrelid as oid, i.inhparent as parent from pg_catalog.pg_inherits i join named on named.oid = i.inhrelid
                union
                select above.oid, i.inhparent from above join pg_catalog.pg_inherits i on i.inhrelid = above.parent)
            select c.oid, n.nspname::text, c.relname::text, c.relfilenode,
                not exists (select from pg_catalog.pg_inherits i join named p on p.oid = i.inhparent join pg_catalog.pg_class k on k.oid = p.oid and k.relkind = 'p' where i.inhrelid = c.oid)
                and (c.relkind = 'p' or exists (select from above where above.oid = c.oid and above.parent not in (select oid from named)))
            from named join pg_catalog.pg_class c using (oid) join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where c.relkind in ('r', 'p') order by named.place, 2, 3
            """, tables);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var all = new List<FencedRelation>();
        while (await reader.ReadAsync(cancellationToken))
        {
            all.Add(new FencedRelation(reader.GetFieldValue<uint>(0), new TableName(reader.GetString(1), reader.GetString(2)), reader.GetFieldValue<uint>(3), reader.GetBoolean(4)));
        }

        return all;
    }

    /// <summary>A command that begins with <see cref="Tree"/>.</summary>
    public static NpgsqlCommand Command(NpgsqlConnection connection, string sql, IReadOnlyList<TableName> tables) => new(sql, connection)
    {
        Parameters =
        {
            new NpgsqlParameter { Value = tables.Select(table => table.Schema).ToArray() },
            new NpgsqlParameter { Value = tables.Select(table => table.Name).ToArray() },
        },
    };
}
