using CdcMigrator.Domain.Tables;
using Npgsql;

namespace CdcMigrator.Postgres.Drift;

/// <summary>
/// What a publication leaves out of what happens to tables. Such changes are in no log, so that neither the applier nor whoever verifies what changed meets them. Columns that are left out are read again.
/// </summary>
internal static class PublishedTables
{
    /// <summary>Entries of tables and, from version 15 on, of schemas: of the table itself, and of all it is a partition of. A publication of all tables has none.</summary>
    private const string EntryQuery = """
        select w.s, w.r, p.oid::text, p.xmin::text, array(
            select e.oid::text from pg_catalog.pg_publication_rel e where e.prpubid = p.oid and e.prrelid = any (a.relations)
            {0}
            order by 1), p.puballtables
        from unnest($2::text[], $3::text[]) as w(s, r)
        join pg_catalog.pg_namespace n on n.nspname = w.s join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.r
        cross join lateral (select array(select c.oid union select x::oid from pg_catalog.pg_partition_ancestors(c.oid) as x)) as a(relations)
        join pg_catalog.pg_publication p on p.pubname = $1
        """;

    private const string SchemaEntries = """
        union select s.oid::text from pg_catalog.pg_publication_namespace s where s.pnpubid = p.oid and s.pnnspid in (select x.relnamespace from pg_catalog.pg_class x where x.oid = any (a.relations))
        """;

    private const string Query = """
        select w.s, w.r, t.tablename is not null, w.kind = 'p' and coalesce(p.j ->> 'pubviaroot', 'false') = 'false', pg_catalog.to_jsonb(t) ->> 'rowfilter' is not null,
            array(select o from unnest(array['insert', 'update', 'delete', 'truncate']) as o where p.j ->> ('pub' || o) = 'false')
        from (select pg_catalog.to_jsonb(p) as j from pg_catalog.pg_publication p where p.pubname = $1) as p
        cross join (select n.nspname::text, c.relname::text, c.relkind from unnest($2::text[], $3::text[]) as w(s, r)
            join pg_catalog.pg_namespace n on n.nspname = w.s join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.r) as w(s, r, kind)
        left join pg_catalog.pg_publication_tables t on t.pubname = $1 and t.schemaname = w.s and t.tablename = w.r
        """;

    /// <summary>By table, why changes of it may be in no log; nothing where there is no such publication yet.</summary>
    public static async Task<IReadOnlyDictionary<TableName, string>> ReadGapsAsync(
        NpgsqlDataSource source, string publication, IReadOnlyCollection<TableName> tables, CancellationToken cancellationToken)
    {
        await using var command = Parameterised(source.CreateCommand(Query), publication, tables);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var gaps = new Dictionary<TableName, string>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var operations = reader.GetFieldValue<string[]>(5);
            var gap = reader.GetBoolean(3) ? $"publication {publication} names its rows by their partitions (publish_via_partition_root is off)"
                : !reader.GetBoolean(2) ? $"publication {publication} does not have it"
                : reader.GetBoolean(4) ? $"publication {publication} has only some of its rows"
                : operations.Length > 0 ? $"publication {publication} leaves out {string.Join(", ", operations)}"
                : null;
            if (gap is not null)
            {
                gaps[new TableName(reader.GetString(0), reader.GetString(1))] = gap;
            }
        }

        return gaps;
    }

    /// <summary>By table, by what the publication has it; nothing where there is no such publication, or it does not have the table.</summary>
    public static async Task<IReadOnlyDictionary<TableName, PublishedBy>> ReadEntriesAsync(
        NpgsqlDataSource source, string publication, IReadOnlyCollection<TableName> tables, CancellationToken cancellationToken)
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        var query = EntryQuery.Replace("{0}", connection.PostgreSqlVersion.Major >= 15 ? SchemaEntries : "", StringComparison.Ordinal);
        await using var command = Parameterised(new NpgsqlCommand(query, connection), publication, tables);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var entries = new Dictionary<TableName, PublishedBy>();
        while (await reader.ReadAsync(cancellationToken))
        {
            if (!reader.GetBoolean(5) && reader.GetFieldValue<string[]>(4).Length == 0)
            {
                continue;
            }

            entries[new TableName(reader.GetString(0), reader.GetString(1))] = new PublishedBy(reader.GetString(2), reader.GetString(3), reader.GetFieldValue<string[]>(4));
        }

        return entries;
    }

    private static NpgsqlCommand Parameterised(NpgsqlCommand command, string publication, IReadOnlyCollection<TableName> tables)
    {
        command.Parameters.Add(new NpgsqlParameter { Value = publication });
        command.Parameters.Add(new NpgsqlParameter { Value = tables.Select(table => table.Schema).ToArray() });
        command.Parameters.Add(new NpgsqlParameter { Value = tables.Select(table => table.Name).ToArray() });
        return command;
    }
}
