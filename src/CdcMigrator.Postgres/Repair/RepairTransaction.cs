using System.Text;
using System.Text.Json;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Postgres.Apply;
using CdcMigrator.Postgres.Comparing;
using CdcMigrator.Postgres.Faults;
using Npgsql;
using NpgsqlTypes;

namespace CdcMigrator.Postgres.Repair;

/// <summary>
/// Repairs rows within one open transaction. The lanes are held first; then the source is asked which transactions may have written the table without being
/// visible yet; then its rows are read in a snapshot that sees them. What a lane has applied is therefore in what is read, and what is not applied yet is still to come and
/// is written over the repaired row, in its order.
/// </summary>
internal sealed class RepairTransaction(PostgresLaneStore store, ApplySession session, RepairOrder order)
{
    private const int MostTogether = 20;
    private readonly GroupExecution execution = new(session, store.Plans, store.Reselection);
    private readonly UniqueHolder holders = new(store.Plans, store.Source);
    private readonly int[] columns =
        [.. order.Table.Columns.Select(column => order.Route.OrdinalOfSource(column.Source)).Where(ordinal => ordinal >= 0 && !order.Route.Target.Columns[ordinal].Generated)];

    /// <summary>Place in a <see cref="RowKey"/> of each column of the route's key.</summary>
    private readonly int[] places = [.. order.Route.Key.Columns.Select(ordinal => PlaceOf(order, ordinal))];

    /// <summary>Holds the lanes and tells which rows have dead letters; null where that cannot be told of each.</summary>
    public async Task<IReadOnlySet<RowKey>?> BeginAsync(CancellationToken cancellationToken)
    {
        await ExecuteAsync("set local lock_timeout = '30s'", cancellationToken);
        await HeldLanes.HoldAsync(session.Connection, store.Migration, order.Topic, cancellationToken);
        await using var command = new NpgsqlCommand("select distinct row_key from cdc_migrator.dead_letter where migration = $1 and table_name = $2", session.Connection);
        command.Parameters.Add(new NpgsqlParameter { Value = store.Migration });
        command.Parameters.Add(new NpgsqlParameter { Value = order.Route.Source.ToString() });
        var parked = new HashSet<RowKey>();
        var all = true;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            all &= TargetSnapshot.KeyOf(order.Table, reader.GetString(0)) is { } key && parked.Add(key);
        }

        return all ? parked : null;
    }

    /// <summary>Repairs rows at once.</summary>
    /// <exception cref="PostgresException">The target refuses one of them; the transaction is over.</exception>
    /// <exception cref="RowConflictException">Likewise.</exception>
    /// <exception cref="SourceValueException">The source has a value for one of them that the target cannot hold.</exception>
    public async Task<IReadOnlyList<RepairRow>> RepairAsync(IReadOnlyCollection<RowKey> keys, CancellationToken cancellationToken)
    {
        var rows = await ReadAsync(keys, cancellationToken);
        await WriteAsync(rows, cancellationToken);
        return rows;
    }

    /// <summary>
    /// Repairs one row, and with it those wrong rows that hold a unique value it needs. A holder that is not known to be wrong stays: its own change may be on its way.
    /// </summary>
    /// <exception cref="FaultException">Poison: why the row cannot be repaired.</exception>
    /// <exception cref="SourceValueException">The source has a value that the target cannot hold.</exception>
    public async Task<IReadOnlyList<RepairRow>> RepairAsync(RowKey key, IReadOnlySet<RowKey> parked, CancellationToken cancellationToken)
    {
        var together = new List<RowKey> { key };
        while (true)
        {
            await ExecuteAsync("savepoint together", cancellationToken);
            var rows = await ReadAsync(together, cancellationToken);
            var (refusal, holder) = await TryWriteAsync(rows, cancellationToken);
            if (refusal is null)
            {
                return rows;
            }

            var fault = refusal is PostgresException error ? PostgresFaults.Classify(error) : new Fault(FaultKind.Poison, "unique-conflict", refusal.Message);
            if (holder is null)
            {
                throw new FaultException(fault, refusal);
            }

            var other = CompareKey(holder);
            var what = $"it needs a unique value that row {KeyText.Of(order.Route, holder)} holds";
            if (!order.Wrong.ContainsKey(other))
            {
                throw new FaultException(FaultKind.Poison, "unique-conflict", $"{what}, which is not known to be wrong", "Its change may be on its way: repair again. Else compare the table anew", refusal);
            }

            if (together.Contains(other) || parked.Contains(other) || together.Count == MostTogether)
            {
                throw new FaultException(FaultKind.Poison, "unique-conflict", parked.Contains(other) ? $"{what}, whose changes are parked" : $"{what}, as it does in the source",
                    parked.Contains(other) ? "Retry or discard its dead letters first ('cdcm dlq list')" : "Drop a constraint of the target that the source does not have, or correct the rows in the source", refusal);
            }

            await ExecuteAsync("rollback to savepoint together; release savepoint together", cancellationToken);
            together.Add(other);
        }
    }

    /// <summary>Notes what was done, in the same transaction.</summary>
    public async Task NoteAsync(IReadOnlyList<RepairRow> rows, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("insert into cdc_migrator.journal (migration, actor, event, evidence) values ($1, $2, 'rows-repaired', $3)", session.Connection);
        command.Parameters.Add(new NpgsqlParameter { Value = store.Migration });
        command.Parameters.Add(new NpgsqlParameter { Value = order.Actor.Replace('\0', '\uFFFD') });
        command.Parameters.Add(new NpgsqlParameter
        {
            Value = JsonSerializer.Serialize(rows.Select(row => new
            {
                table = order.Route.Source.ToString(),
                key = KeyText.Of(order.Route, row.Text),
                kind = order.Wrong.GetValueOrDefault(row.Key)?.Kind.ToString().ToLowerInvariant(),
                action = row.Action.ToString().ToLowerInvariant(),
            })),
            NpgsqlDbType = NpgsqlDbType.Jsonb,
        });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Writes rows one by one in their order, all but the first taken out of the way before. Returns the refusal and who is in the way.</summary>
    private async Task<(Exception? Refusal, string[]? Holder)> TryWriteAsync(IReadOnlyList<RepairRow> rows, CancellationToken cancellationToken)
    {
        await WriteAsync([.. rows.Skip(1).Where(row => row.IsThere).Select(row => row with { Source = null })], cancellationToken);
        foreach (var row in rows)
        {
            await ExecuteAsync("savepoint one", cancellationToken);
            var net = Net([row]);
            try
            {
                await ExecuteAsync(net, cancellationToken);
            }
            catch (Exception refusal) when (refusal is RowConflictException || (refusal is PostgresException error && PostgresFaults.IsRowError(error)))
            {
                await ExecuteAsync("rollback to savepoint one", cancellationToken);
                var holder = BlockedChange.IsConflict(refusal) && row.Source is not null ? await holders.FindAsync(session.Connection, net, refusal, keep: true, cancellationToken) : null;
                return (refusal, holder?.Key);
            }
        }

        return (null, null);
    }

    private Task WriteAsync(IReadOnlyList<RepairRow> rows, CancellationToken cancellationToken) => rows.Count == 0 ? Task.CompletedTask : ExecuteAsync(Net(rows), cancellationToken);

    private async Task ExecuteAsync(NetEffect net, CancellationToken cancellationToken) =>
        await execution.ExecuteAsync(null, net, await execution.PrepareAsync(net.Group(), copy: false, cancellationToken), copy: false, cancellationToken);

    /// <summary>The rows as changes: what the source has is written as it is there, what it has not is deleted.</summary>
    private NetEffect Net(IReadOnlyList<RepairRow> rows)
    {
        var batch = new ChangeBatch();
        batch.Reset(new LaneId(order.Topic, 0), 0);
        for (var n = 0; n < rows.Count; n++)
        {
            batch.BeginRow(order.Route);
            for (var i = 0; rows[n].Source is { } values && i < columns.Length; i++)
            {
                if (values[i] is { } text)
                {
                    batch.SetValue(columns[i], Encoding.UTF8.GetBytes(text));
                }
                else
                {
                    batch.SetState(columns[i], ColumnState.Null);
                }
            }

            for (var i = 0; rows[n].Source is null && i < places.Length; i++)
            {
                batch.SetValue(order.Route.Key.Columns[i], Encoding.UTF8.GetBytes(rows[n].Text[i]));
            }

            batch.CommitRow(order.Route, rows[n].Source is null ? ChangeOperation.Delete : ChangeOperation.SnapshotRow, n, SourcePosition.None, KeyChangeHalf.None, 0);
        }

        return NetEffect.Of(batch, 0, batch.Changes.Count);
    }

    private async Task<IReadOnlyList<RepairRow>> ReadAsync(IReadOnlyCollection<RowKey> keys, CancellationToken cancellationToken)
    {
        var asked = keys.ToList();
        var (texts, there) = await FindAsync(asked, cancellationToken);
        var writers = await store.Source!.ReadWritersAsync(order.Route, cancellationToken);
        var rows = await store.Source.ReadAsync(order.Route, texts, columns, writers, cancellationToken);
        return [.. asked.Select((key, i) => new RepairRow(key, texts[i], rows[i], there[i]))];
    }

    /// <summary>Keys as the target writes them, and which it has. A compared key is its value, but not always in the type's own spelling.</summary>
    private async Task<(string[][] Texts, bool[] There)> FindAsync(List<RowKey> keys, CancellationToken cancellationToken)
    {
        var parts = (await store.Plans.GetAsync(session.Connection, order.Route, cancellationToken)).Keys;
        await using var command = new NpgsqlCommand($"""
            select k.n::int, {string.Join(", ", parts.Select((part, i) => $"(k.k{i}::{part.Declared})::text"))},
                exists (select from {order.Route.Target.Name.Sql} as t where {string.Join(" and ", parts.Select((part, i) => part.Matches("t", $"k.k{i}")))})
            from unnest({string.Join(", ", parts.Select((_, i) => $"${i + 1}::text[]"))}) with ordinality as k({string.Join(", ", parts.Select((_, i) => $"k{i}"))}, n)
            """, session.Connection);
        foreach (var place in places)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = keys.Select(key => key.Values[place]).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
        }

        var (texts, there) = (new string[keys.Count][], new bool[keys.Count]);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var n = reader.GetInt32(0) - 1;
            texts[n] = [.. Enumerable.Range(1, places.Length).Select(reader.GetString)];
            there[n] = reader.GetBoolean(places.Length + 1);
        }

        return (texts, there);
    }

    private RowKey CompareKey(string[] text)
    {
        var values = new string[places.Length];
        for (var i = 0; i < places.Length; i++)
        {
            values[places[i]] = CanonicalText.Of(order.Table.Columns[order.Table.Key[places[i]]].Form, text[i]);
        }

        return new RowKey(values);
    }

    private static int PlaceOf(RepairOrder order, int ordinal)
    {
        var name = order.Route.Target.Columns[ordinal].Name;
        var place = order.Table.Key.Count == order.Route.Key.Columns.Count ? order.Table.Key.ToList().FindIndex(column => order.Table.Columns[column].Target == name) : -1;
        return place >= 0 ? place : throw new FaultException(FaultKind.NotAllowed, "key-mismatch",
            $"Rows of {order.Route.Source} are compared by another key than {order.Route.Key.Name}, by which they are written", "Restart the service, and compare the table anew");
    }

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, session.Connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
