using CdcMigrator.Domain.Faults;
using CdcMigrator.Embedded.Publishing;
using Npgsql;

namespace CdcMigrator.Embedded.Replication;

/// <summary>
/// Locks the tables of a snapshot against DDL. Only after the snapshot is taken: making the slot waits for every open transaction, and
/// one that does DDL would wait for our lock, which no deadlock detection sees.
/// </summary>
internal static class SnapshotTables
{
    /// <summary>Locks the tables in the snapshot's transaction and makes sure that it sees their rows.</summary>
    /// <exception cref="FaultException">
    /// Transient <c>table-rewritten</c>: DDL rewrote a table after the snapshot was taken, so that it looks empty to it. Take another.
    /// </exception>
    /// <exception cref="PostgresException">55P03: DDL holds a table; our waiting lock would hold its readers up in turn. Take another.</exception>
    public static async Task LockAsync(NpgsqlConnection session, IReadOnlyList<SourceTable> tables, CancellationToken cancellationToken)
    {
        // The catalog is read as the snapshot sees it, pg_relation_filenode as it is.
        const string Rewritten = """
            with recursive seen(root, oid) as (
                select oid, oid from unnest($1::oid[]) as t(oid)
                union all select s.root, i.inhrelid from seen s join pg_inherits i on i.inhparent = s.oid join pg_class r on r.oid = s.root and r.relkind = 'p')
            select s.root from seen s join pg_class c on c.oid = s.oid
            where c.relkind = 'r' and pg_relation_filenode(c.oid) is distinct from c.relfilenode
            limit 1
            """;
        await using (var command = new NpgsqlCommand(
            $"set local lock_timeout = '2s'; lock table {string.Join(", ", tables.Select(table => table.Name.Sql))} in access share mode; set local lock_timeout = 0", session))
        {
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        await using var check = new NpgsqlCommand(Rewritten, session) { Parameters = { new() { Value = tables.Select(table => (long)table.Oid).ToArray() } } };
        if (await check.ExecuteScalarAsync(cancellationToken) is uint oid)
        {
            throw new FaultException(FaultKind.Transient, "table-rewritten",
                $"Table {tables.First(table => table.Oid == oid).Name} was rewritten while its snapshot was taken", "The snapshot is taken again");
        }
    }

    /// <summary>
    /// The tables with their columns as the snapshot sees them: a column added since the catalog was read has values in the snapshot's rows
    /// that no later record carries. To be called in the snapshot's transaction, behind the lock.
    /// </summary>
    public static async Task<IReadOnlyList<SourceTable>> WithColumnsAsync(NpgsqlConnection session, IReadOnlyList<SourceTable> tables, CancellationToken cancellationToken)
    {
        const string Columns = """
            select attrelid, array_agg(attname::text order by attnum) from pg_attribute
            where attrelid = any($1::oid[]) and attnum > 0 and not attisdropped and attgenerated = '' group by 1
            """;
        await using var command = new NpgsqlCommand(Columns, session) { Parameters = { new() { Value = tables.Select(table => (long)table.Oid).ToArray() } } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var columns = new Dictionary<uint, string[]>();
        while (await reader.ReadAsync(cancellationToken))
        {
            columns[reader.GetFieldValue<uint>(0)] = reader.GetFieldValue<string[]>(1);
        }

        return [.. tables.Select(table => table with { Columns = columns.GetValueOrDefault(table.Oid) ?? table.Columns })];
    }
}
