using CdcMigrator.Domain.Faults;
using CdcMigrator.Embedded.Publishing;
using Npgsql.Replication;
using Npgsql.Replication.Internal;
using Npgsql.Replication.PgOutput;
using NpgsqlTypes;

namespace CdcMigrator.Embedded.Replication;

/// <summary>
/// Reads the slot and publishes its transactions in commit order. <see cref="RunAsync"/> is called again after a lost connection:
/// the slot then repeats what was not confirmed, and whole transactions that this life has published are skipped.
/// </summary>
internal sealed class SlotStream(string sourceConnection, string slot, IReadOnlyList<SourceTable> tables, Publisher publisher, FlowControl flow) : IDisposable
{
    private readonly Dictionary<uint, SourceTable> byOid = tables.ToDictionary(table => table.Oid);
    private readonly HashSet<(string, string)> names = [.. tables.Select(table => (table.Name.Schema, table.Name.Name))];
    private readonly SemaphoreSlim boundary = new(1, 1);
    private readonly Dictionary<uint, RowShape?> shapes = [];
    private volatile LogicalReplicationConnection? connection;
    private volatile bool inTransaction;
    private byte[] message = new byte[64 * 1024];
    private Cell[] oldCells = [];
    private Cell[] newCells = [];
    private ulong publishedCommit;
    private ulong told;

    /// <summary>Transactions whose commit lies below are dropped; <see cref="ulong.MaxValue"/> drops all. Change it inside <see cref="AtBoundaryAsync"/> only.</summary>
    public ulong ActiveFrom { get; set; }

    /// <summary>Whether the slot is being read: the server has said how far it is.</summary>
    public bool IsConnected => connection is { } open && (ulong)open.LastReceivedLsn != 0;

    /// <summary>LSN up to which the source's WAL has been read.</summary>
    public ulong ReceivedLsn => Math.Max(told, connection is { } open ? (ulong)open.LastReceivedLsn : 0);

    /// <summary>Streams until cancelled.</summary>
    /// <param name="check">Compares the source with the durable state, on a session that identified the system.</param>
    /// <param name="confirmed">What the slot was told last.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task RunAsync(Func<ReplicationSystemIdentification, Task> check, ulong confirmed, CancellationToken cancellationToken)
    {
        var session = new LogicalReplicationConnection(SourceSession.Pin(sourceConnection, "embedded log"));
        var reading = Task.CompletedTask;
        using var stopReading = new CancellationTokenSource();
        try
        {
            await session.Open(cancellationToken);

            // Answers keep flowing from a timer while a full lane stops us from reading: wal_sender_timeout must not strike.
            session.WalReceiverStatusInterval = TimeSpan.FromSeconds(1);
            await check(await session.IdentifySystem(cancellationToken));
            session.SetReplicationStatus(new NpgsqlLogSequenceNumber(confirmed));
            told = confirmed;
            reading = ReadAllAsync(session, stopReading.Token, cancellationToken);
            await reading.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // A cancellation that meets Npgsql while it starts to stream is forgotten by it: wait until it streams.
            for (var i = 0; i < 250 && !reading.IsCompleted && !IsConnected; i++)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), CancellationToken.None);
            }

            await stopReading.CancelAsync();
            await Task.WhenAny(reading, Task.Delay(TimeSpan.FromSeconds(10), CancellationToken.None));
            throw;
        }
        finally
        {
            // Not to be disposed under a reader that hangs; the server's timeout ends it then.
            if (reading.IsCompleted)
            {
                await session.DisposeAsync();
            }
        }
    }

    /// <summary>
    /// Notes that all the source has committed up to the WAL position read so far is published, unless a transaction is under way: so
    /// the slot moves on an idle source and while only other tables are written.
    /// </summary>
    public void NoteIdle()
    {
        // The order matters: a position read before a transaction is seen to be over lies below every commit not yet published.
        if (connection is { } open)
        {
            var received = (ulong)open.LastReceivedLsn;
            Thread.MemoryBarrier();
            if (!inTransaction && received != 0)
            {
                flow.Reach(received);
            }
        }
    }

    /// <summary>Tells the slot what is flushed.</summary>
    public async Task ConfirmAsync(ulong lsn, CancellationToken cancellationToken)
    {
        if (connection is { } open && (ulong)open.LastReceivedLsn != 0)
        {
            open.SetReplicationStatus(new NpgsqlLogSequenceNumber(lsn));
            told = lsn;
            await open.SendStatusUpdate(cancellationToken);
        }
    }

    /// <summary>Runs work while no transaction is being published.</summary>
    public async Task AtBoundaryAsync(Func<Task> work, CancellationToken cancellationToken)
    {
        await boundary.WaitAsync(cancellationToken);
        try
        {
            await work();
        }
        finally
        {
            boundary.Release();
        }
    }

    /// <inheritdoc />
    public void Dispose() => boundary.Dispose();

    private async Task ReadAllAsync(LogicalReplicationConnection session, CancellationToken stopReading, CancellationToken cancellationToken)
    {
        shapes.Clear();
        var messages = session.StartLogicalReplication(new PgOutputReplicationSlot(slot), stopReading, new NpgsqlLogSequenceNumber(0),
        [
            new("proto_version", "1"),
            new("publication_names", $"\"{slot}\""),
        ]);
        var held = false;
        try
        {
            connection = session;
            var transaction = default(ChangeOrigin);
            await foreach (var data in messages.WithCancellation(CancellationToken.None))
            {
                var length = await ReadAsync(data, stopReading);
                switch (message[0])
                {
                    case (byte)'B':
                        await boundary.WaitAsync(cancellationToken);
                        held = inTransaction = true;
                        transaction = Begin(length);
                        break;
                    case (byte)'C':
                        Commit(length, transaction);
                        inTransaction = held = false;
                        boundary.Release();
                        break;
                    default:
                        if (message[0] == (byte)'R' || IsPublished(transaction.CommitLsn))
                        {
                            await ChangeAsync(length, transaction with { Lsn = (ulong)data.WalStart }, cancellationToken);
                        }

                        break;
                }
            }
        }
        finally
        {
            connection = null;
            inTransaction = false;
            if (held)
            {
                boundary.Release();
            }
        }
    }

    private bool IsPublished(ulong commitLsn) => commitLsn > publishedCommit && commitLsn >= ActiveFrom;

    private async Task<int> ReadAsync(XLogDataMessage data, CancellationToken cancellationToken)
    {
        var length = checked((int)data.Data.Length);
        if (message.Length < length || (message.Length > 8 * 1024 * 1024 && length < 64 * 1024))
        {
            message = new byte[Math.Max(64 * 1024, length)];
        }

        await data.Data.ReadExactlyAsync(message.AsMemory(0, length), cancellationToken);
        return length;
    }

    private ChangeOrigin Begin(int length)
    {
        var reader = new PgOutputReader(message, length);
        reader.Byte();
        var commitLsn = reader.UInt64();
        var timestamp = reader.UnixMilliseconds();
        return new ChangeOrigin(commitLsn, 0, reader.UInt32(), timestamp);
    }

    private void Commit(int length, ChangeOrigin transaction)
    {
        var reader = new PgOutputReader(message, length);
        reader.Byte();
        reader.Byte();
        reader.UInt64();
        flow.Reach(reader.UInt64());
        publishedCommit = Math.Max(publishedCommit, transaction.CommitLsn);
    }

    private ValueTask ChangeAsync(int length, ChangeOrigin origin, CancellationToken cancellationToken)
    {
        var reader = new PgOutputReader(message, length);
        switch (reader.Byte())
        {
            case (byte)'R':
                Relation(ref reader);
                return ValueTask.CompletedTask;
            case (byte)'I' when Shape(reader.UInt32()) is { } shape:
                reader.Byte();
                return publisher.InsertAsync(shape, message, New(ref reader), origin, cancellationToken);
            case (byte)'U' when Shape(reader.UInt32()) is { } shape:
                return UpdateAsync(ref reader, shape, origin, cancellationToken);
            case (byte)'D' when Shape(reader.UInt32()) is { } shape:
                reader.Byte();
                return publisher.DeleteAsync(shape, message, Old(ref reader), origin, null, cancellationToken);
            case (byte)'T':
                return TruncateAsync(ref reader, origin, cancellationToken);
            default:
                return ValueTask.CompletedTask;
        }
    }

    private ReadOnlyMemory<Cell> New(ref PgOutputReader reader)
    {
        var count = reader.Tuple(ref newCells);
        return newCells.AsMemory(0, count);
    }

    private ReadOnlyMemory<Cell> Old(ref PgOutputReader reader)
    {
        var count = reader.Tuple(ref oldCells);
        return oldCells.AsMemory(0, count);
    }

    private ValueTask UpdateAsync(ref PgOutputReader reader, RowShape shape, ChangeOrigin origin, CancellationToken cancellationToken)
    {
        var kind = reader.Byte();
        var old = ReadOnlyMemory<Cell>.Empty;
        if (kind != (byte)'N')
        {
            old = Old(ref reader);
            reader.Byte();
        }

        var after = New(ref reader);
        for (var i = 0; i < old.Length; i++)
        {
            // What the old tuple carries, the new one leaves out where it did not change.
            if (newCells[i].Kind == CellKind.Unchanged && oldCells[i].Kind == CellKind.Text)
            {
                newCells[i] = oldCells[i];
            }
        }

        return publisher.UpdateAsync(shape, message, old, kind == (byte)'O', after, origin, cancellationToken);
    }

    private ValueTask TruncateAsync(ref PgOutputReader reader, ChangeOrigin origin, CancellationToken cancellationToken)
    {
        var relations = new RowShape?[reader.UInt32()];
        reader.Byte();
        for (var i = 0; i < relations.Length; i++)
        {
            relations[i] = Shape(reader.UInt32());
        }

        return TruncateAllAsync(relations, origin, cancellationToken);
    }

    private async ValueTask TruncateAllAsync(RowShape?[] relations, ChangeOrigin origin, CancellationToken cancellationToken)
    {
        foreach (var shape in relations)
        {
            if (shape is not null)
            {
                await publisher.TruncateAsync(shape, origin, cancellationToken);
            }
        }
    }

    private RowShape? Shape(uint oid) => shapes.TryGetValue(oid, out var shape)
        ? shape
        : throw new FaultException(FaultKind.Internal, "pgoutput-format", $"The source sent a change of relation {oid} without describing it");

    private void Relation(ref PgOutputReader reader)
    {
        var oid = reader.UInt32();
        var schema = reader.Text();
        var name = reader.Text();
        var identity = reader.Byte();
        var columns = new List<string>();
        var key = new HashSet<string>(StringComparer.Ordinal);
        for (var left = reader.Int16(); left > 0; left--)
        {
            var isKey = (reader.Byte() & 1) != 0;
            columns.Add(reader.Text());
            if (isKey)
            {
                key.Add(columns[^1]);
            }

            reader.UInt32();
            reader.UInt32();
        }

        // By oid: a renamed table keeps its topic, as Debezium has it, and loses no row.
        if (byOid.TryGetValue(oid, out var table))
        {
            if (identity != (byte)'f' && !key.SetEquals(table.Key))
            {
                throw Broken(table, "key-changed", $"The replica identity of {table.Name} is no longer its key ({string.Join(", ", table.Key)})",
                    "Restart to continue under the new key if key and replica identity agree; records before the change are still keyed by the old one");
            }

            shapes[oid] = new RowShape(table, columns);
            return;
        }

        if (names.Contains((schema, name)))
        {
            var replaced = tables.First(known => known.Name.Schema == schema && known.Name.Name == name);
            throw Broken(replaced, "table-replaced", $"Table {replaced.Name} was dropped and created again in the source",
                "Move it in a migration of its own");
        }

        shapes[oid] = null;
    }

    private static FaultException Broken(SourceTable table, string code, string message, string fix) =>
        new(new Fault(FaultKind.LogBroken, code, message, fix) { Table = table.Name.ToString() });
}
