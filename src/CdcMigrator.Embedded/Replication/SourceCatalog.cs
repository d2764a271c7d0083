using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded.Publishing;
using Npgsql;
using NpgsqlTypes;

namespace CdcMigrator.Embedded.Replication;

/// <summary>Reads the source's catalog and keeps publication and slot. Each method may be called again.</summary>
internal sealed class SourceCatalog(EmbeddedLogOptions options, string slot)
{
    /// <summary>Checks that the server can decode logically and returns its database's name.</summary>
    public static async Task<string> CheckAsync(NpgsqlConnection source, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select current_setting('wal_level'), current_database()", source);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return reader.GetString(0) == "logical"
            ? reader.GetString(1)
            : throw new FaultException(FaultKind.Configuration, "wal-level", $"The source runs with wal_level={reader.GetString(0)}; its changes cannot be decoded",
                "Run 'alter system set wal_level = logical' on the source and restart it");
    }

    /// <summary>Reads the tables with their keys.</summary>
    /// <exception cref="FaultException">Configuration: a table is missing, or has no key its changes can be told apart by.</exception>
    public async Task<IReadOnlyList<SourceTable>> ReadTablesAsync(NpgsqlConnection source, IReadOnlyList<TableName> names, CancellationToken cancellationToken)
    {
        const string Sql = """
            select c.oid, c.relkind::text, c.relreplident::text,
                   array(select a.attname::text from pg_attribute a
                         where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by a.attnum),
                   array(select a.attname::text from pg_index i
                         cross join lateral unnest(i.indkey::int2[]) with ordinality as k(attnum, place)
                         join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
                         where i.indrelid = c.oid and i.indisprimary and k.place <= i.indnkeyatts order by k.place),
                   array(select a.attname::text from pg_index i
                         cross join lateral unnest(i.indkey::int2[]) with ordinality as k(attnum, place)
                         join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
                         where i.indrelid = c.oid and i.indisreplident and k.place <= i.indnkeyatts order by k.place)
            from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p')
            """;
        var tables = new List<SourceTable>(names.Count);
        foreach (var name in names)
        {
            await using var command = new NpgsqlCommand(Sql, source) { Parameters = { new() { Value = name.Schema }, new() { Value = name.Name } } };
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            if (!await reader.ReadAsync(cancellationToken))
            {
                throw new FaultException(FaultKind.Configuration, "source-table-missing", $"Table {name} does not exist in the source", "Correct its name in the migration file");
            }

            var primary = reader.GetFieldValue<string[]>(4);
            var key = Key(name, reader.GetString(2), primary, reader.GetFieldValue<string[]>(5));
            tables.Add(new SourceTable(name, reader.GetFieldValue<uint>(0), EmbeddedLog.TopicOf(options.TopicPrefix, name),
                reader.GetFieldValue<string[]>(3), key, reader.GetString(1) == "p"));
        }

        return tables;
    }

    /// <summary>Creates the publication, or adds what it lacks. Only before the slot exists: a table added later has a gap.</summary>
    /// <returns>Whether anything had to be done.</returns>
    public async Task<bool> EnsurePublicationAsync(NpgsqlConnection source, IReadOnlyList<SourceTable> tables, CancellationToken cancellationToken)
    {
        var published = await PublishedAsync(source, cancellationToken);
        var missing = tables.Where(table => published is null || !published.Contains(table.Oid)).Select(Target).ToList();
        if (missing.Count > 0)
        {
            await ExecuteAsync(source, published is null
                ? $"create publication {TableName.Quote(slot)} for table {string.Join(", ", missing)} with (publish = 'insert, update, delete, truncate', publish_via_partition_root = true)"
                : $"alter publication {TableName.Quote(slot)} add table {string.Join(", ", missing)}", cancellationToken);
        }

        return missing.Count > 0;
    }

    /// <summary>Checks that the publication still has every table.</summary>
    /// <exception cref="FaultException">LogBroken: it does not, so changes may be missing from the slot.</exception>
    public async Task CheckPublicationAsync(NpgsqlConnection source, IReadOnlyList<SourceTable> tables, CancellationToken cancellationToken)
    {
        var published = await PublishedAsync(source, cancellationToken);
        if (tables.FirstOrDefault(table => published is null || !published.Contains(table.Oid)) is { } gone)
        {
            throw new FaultException(new Fault(FaultKind.LogBroken, "publication-changed",
                $"Table {gone.Name} is no longer in publication {slot}: changes of it may never have been published",
                $"Find out who changed it (a dropped and re-created table leaves its publication); then move the tables anew")
            { Table = gone.Name.ToString() });
        }
    }

    /// <summary>The slot; null where it does not exist.</summary>
    public async Task<SlotInfo?> ReadSlotAsync(NpgsqlConnection source, CancellationToken cancellationToken)
    {
        // wal_status is new in 13; a slot of 12 cannot be lost by a size limit.
        await using var command = new NpgsqlCommand(
            "select coalesce(s.plugin, ''), coalesce(s.database, ''), s.active_pid, s.confirmed_flush_lsn, coalesce(to_jsonb(s) ->> 'wal_status', '') from pg_replication_slots s where s.slot_name = $1",
            source)
        { Parameters = { new() { Value = slot } } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new SlotInfo(
                reader.GetString(0), reader.GetString(1),
                await reader.IsDBNullAsync(2, cancellationToken) ? null : reader.GetInt32(2),
                await reader.IsDBNullAsync(3, cancellationToken) ? 0 : (ulong)reader.GetFieldValue<NpgsqlLogSequenceNumber>(3),
                reader.GetString(4) == "lost")
            : null;
    }

    /// <summary>Where the source writes its WAL: all that is committed by now lies below.</summary>
    public static async Task<ulong> CurrentLsnAsync(NpgsqlConnection source, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select pg_current_wal_insert_lsn()", source);
        return (ulong)(NpgsqlLogSequenceNumber)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>Drops the slot if it exists.</summary>
    /// <exception cref="PostgresException">55006: it is in use.</exception>
    public Task DropSlotAsync(NpgsqlConnection source, CancellationToken cancellationToken) =>
        ExecuteAsync(source, $"select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '{slot}'", cancellationToken);

    /// <summary>Drops the publication if it exists.</summary>
    public Task DropPublicationAsync(NpgsqlConnection source, CancellationToken cancellationToken) =>
        ExecuteAsync(source, $"drop publication if exists {TableName.Quote(slot)}", cancellationToken);

    private static string Target(SourceTable table) => table.IsPartitioned ? table.Name.Sql : $"only {table.Name.Sql}";

    private static string[] Key(TableName name, string identity, string[] primary, string[] identityIndex)
    {
        switch (identity)
        {
            case "f":
                return primary;
            case "d" when primary.Length > 0:
                return primary;
            case "i" when identityIndex.Length > 0 && (primary.Length == 0 || primary.SequenceEqual(identityIndex)):
                return identityIndex;
            case "i" when primary.Length > 0:
                throw Unusable(name, "has REPLICA IDENTITY USING INDEX beside a primary key, so its deletes do not carry the key", "default");
            default:
                throw Unusable(name, "has no primary key and no replica identity; publishing it would make the source refuse its updates", "full");
        }
    }

    private static FaultException Unusable(TableName name, string what, string identity) => new(new Fault(
        FaultKind.Configuration, "replica-identity", $"Table {name} {what}", $"Run 'alter table {name.Sql} replica identity {identity}' on the source")
    { Table = name.ToString() });

    private async Task<HashSet<uint>?> PublishedAsync(NpgsqlConnection source, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("""
            select array(select r.prrelid from pg_publication_rel r where r.prpubid = p.oid) from pg_publication p where p.pubname = $1
            """, source)
        { Parameters = { new() { Value = slot } } };
        return await command.ExecuteScalarAsync(cancellationToken) is uint[] oids ? [.. oids] : null;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
