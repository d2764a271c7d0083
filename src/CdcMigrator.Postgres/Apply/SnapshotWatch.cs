using System.Collections.Concurrent;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Control;

namespace CdcMigrator.Postgres.Apply;

/// <summary>
/// Notes, before rows of an initial snapshot are applied, which life of the connector sends them, once a table and life. Rows of an incremental snapshot have no position, those of the embedded log no such
/// life, and it empties a table before it begins again; a table without a key halts by itself. Thread-safe.
/// </summary>
internal sealed class SnapshotWatch(PostgresLaneStore store)
{
    private readonly ConcurrentDictionary<(TableName Table, ulong Run), bool> noted = new();

    public async ValueTask NoteAsync(ChangeBatch batch, CancellationToken cancellationToken)
    {
        List<(TableName Table, ulong Run)>? missing = null;
        (TableRoute? Route, ulong Run) last = default;
        for (var i = 0; i < batch.Changes.Count; i++)
        {
            var change = batch.Changes[i];
            if (change.Operation != ChangeOperation.SnapshotRow || change.Run == 0 || change.Position.Lsn == 0 || change.Route.IsKeyless || (change.Route, change.Run) == last)
            {
                continue;
            }

            last = (change.Route, change.Run);
            if (!noted.ContainsKey((change.Route.Source, change.Run)))
            {
                (missing ??= []).Add((change.Route.Source, change.Run));
            }
        }

        if (missing is null)
        {
            return;
        }

        var session = await store.Sessions.TakeAsync(cancellationToken);
        var sound = false;
        try
        {
            foreach (var (table, run) in missing)
            {
                await SnapshotRuns.NoteAsync(session.Connection, store.Migration, table, run, cancellationToken);
            }

            sound = true;
        }
        finally
        {
            await (sound ? store.Sessions.ReturnAsync(session) : ApplySessions.DiscardAsync(session));
        }

        foreach (var pair in missing)
        {
            noted.TryAdd(pair, true);
        }
    }
}
