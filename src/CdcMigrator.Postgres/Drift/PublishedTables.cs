using CdcMigrator.Domain.Tables;
using Npgsql;

namespace CdcMigrator.Postgres.Drift;

/// <summary>
/// What a publication leaves out of what happens to tables. Such changes are in no log, so that neither the applier nor whoever verifies what changed meets them. Columns that are left out are read again.
/// </summary>
internal static class PublishedTables
{
    private const string EntryQuery = """
        select w.s, w.r, p.oid || '/' || e.oid from pg_catalog.pg_publication p
        join pg_catalog.pg_publication_rel e on e.prpubid = p.oid join pg_catalog.pg_class c on c.oid = e.prrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        join unnest($2::text[], $3::text[]) as w(s, r) on w.s = n.nspname and w.r = c.relname
        where p.pubname = $1
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
        await using var command = Command(source, Query, publication, tables);
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

    /// <summary>By table, the publication's entry of it; nothing of a publication of all tables.</summary>
    public static async Task<IReadOnlyDictionary<TableName, string>> ReadEntriesAsync(
        NpgsqlDataSource source, string publication, IReadOnlyCollection<TableName> tables, CancellationToken cancellationToken)
    {
        await using var command = Command(source, EntryQuery, publication, tables);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var entries = new Dictionary<TableName, string>();
        while (await reader.ReadAsync(cancellationToken))
        {
            entries[new TableName(reader.GetString(0), reader.GetString(1))] = reader.GetString(2);
        }

        return entries;
    }

    private static NpgsqlCommand Command(NpgsqlDataSource source, string query, string publication, IReadOnlyCollection<TableName> tables)
    {
        var command = source.CreateCommand(query);
        command.Parameters.Add(new NpgsqlParameter { Value = publication });
        command.Parameters.Add(new NpgsqlParameter { Value = tables.Select(table => table.Schema).ToArray() });
        command.Parameters.Add(new NpgsqlParameter { Value = tables.Select(table => table.Name).ToArray() });
        return command;
    }
}
