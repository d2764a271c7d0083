using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded.Publishing;
using Npgsql;
using Npgsql.Replication;

namespace CdcMigrator.Embedded.Replication;

/// <summary>Creates the slot and publishes every row as it was at the slot's consistent point: the stream continues exactly there.</summary>
internal sealed class SnapshotReader(EmbeddedLogOptions options, string slot, SourceCatalog catalog, Publisher publisher, SnapshotProgress progress)
{
    /// <summary>Drops and creates the slot and publishes all rows.</summary>
    /// <returns>The consistent point.</returns>
    public async Task<ulong> RunAsync(IReadOnlyList<SourceTable> tables, CancellationToken cancellationToken)
    {
        progress.Start(tables);
        await using var session = await SourceSession.OpenAsync(options.SourceConnection, "snapshot", cancellationToken);
        await using (var clean = await SourceSession.OpenAsync(options.SourceConnection, "snapshot", cancellationToken))
        {
            await catalog.DropSlotAsync(clean, cancellationToken);
        }

        ulong consistentPoint;
        await using (var exporter = new LogicalReplicationConnection(SourceSession.Pin(options.SourceConnection, "snapshot")))
        {
            await exporter.Open(cancellationToken);
            var created = await exporter.CreatePgOutputReplicationSlot(
                slot, slotSnapshotInitMode: LogicalSlotSnapshotInitMode.Export, cancellationToken: cancellationToken);
            consistentPoint = (ulong)created.ConsistentPoint;
            await ExecuteAsync(session, $"begin isolation level repeatable read, read only; set transaction snapshot '{created.SnapshotName}'", cancellationToken);
        }

        await SnapshotTables.LockAsync(session, tables, cancellationToken);

        var origin = new ChangeOrigin(0, consistentPoint, 0, options.Time.GetUtcNow().ToUnixTimeMilliseconds());
        foreach (var table in await SnapshotTables.WithColumnsAsync(session, tables, cancellationToken))
        {
            await CopyAsync(session, table, origin, cancellationToken);
        }

        return consistentPoint;
    }

    private async Task CopyAsync(NpgsqlConnection session, SourceTable table, ChangeOrigin origin, CancellationToken cancellationToken)
    {
        var shape = new RowShape(table, table.Columns);
        var columns = string.Join(", ", table.Columns.Select(TableName.Quote));

        // Npgsql hands text out decoded; the bytes behind its reader are what is wanted.
        using var text = await session.BeginTextExportAsync(
            $"copy (select {columns} from {(table.IsPartitioned ? "" : "only ")}{table.Name.Sql}) to stdout", cancellationToken);
        var reader = new CopyTextReader(((StreamReader)text).BaseStream, table.Columns.Count);
        var rows = 0L;
        while (await reader.ReadAsync(cancellationToken))
        {
            await publisher.SnapshotRowAsync(shape, reader.Buffer, reader.Cells, table.Columns.Count, origin, cancellationToken);
            if (++rows % 256 == 0)
            {
                progress.Note(table.Name, rows, published: false);
            }
        }

        progress.Note(table.Name, rows, published: true);
    }

    private static async Task ExecuteAsync(NpgsqlConnection session, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, session);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
