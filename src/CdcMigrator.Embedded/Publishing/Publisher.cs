using System.Text;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Embedded.Broker;
using Confluent.Kafka;

namespace CdcMigrator.Embedded.Publishing;

/// <summary>Turns row changes into records of their lanes, as Debezium does, and waits where a lane is full. Ordered; one caller.</summary>
internal sealed class Publisher(RecordWriter writer, LogProducer producer, FlowControl flow)
{
    /// <summary>Largest record: key, value and headers, in bytes.</summary>
    public const int MaxRecordBytes = 4 * 1024 * 1024;

    /// <summary>What a record costs the broker beside its key, value and headers, generously.</summary>
    private const int RecordOverhead = 64;

    /// <summary>Records beyond this lie in the broker's log alone, not batched with others.</summary>
    private const int AloneBytes = 512 * 1024;

    private readonly Dictionary<string, LaneId[]> lanes = [];

    /// <summary>A row the snapshot saw.</summary>
    public ValueTask SnapshotRowAsync(RowShape shape, byte[] row, Cell[] cells, int count, ChangeOrigin origin, CancellationToken cancellationToken) =>
        ImageAsync(shape, (byte)'r', row, default, cells.AsMemory(0, count), origin, cancellationToken);

    /// <summary>An insert.</summary>
    public ValueTask InsertAsync(RowShape shape, byte[] row, ReadOnlyMemory<Cell> after, ChangeOrigin origin, CancellationToken cancellationToken) =>
        ImageAsync(shape, (byte)'c', row, default, after, origin, cancellationToken);

    /// <summary>An update. One that changes the key becomes a delete of the old and an insert of the new key.</summary>
    /// <param name="shape">Table and columns.</param>
    /// <param name="row">Bytes the cells point into.</param>
    /// <param name="old">The old tuple: empty, key columns only, or whole.</param>
    /// <param name="oldIsWhole">Whether the old tuple has every column.</param>
    /// <param name="after">The new tuple.</param>
    /// <param name="origin">Where it happened.</param>
    /// <param name="cancellationToken">Stops waiting for room.</param>
    public async ValueTask UpdateAsync(
        RowShape shape, byte[] row, ReadOnlyMemory<Cell> old, bool oldIsWhole, ReadOnlyMemory<Cell> after, ChangeOrigin origin, CancellationToken cancellationToken)
    {
        if (old.IsEmpty || shape.Key.Length == 0)
        {
            await ImageAsync(shape, (byte)'u', row, oldIsWhole ? old : default, after, origin, cancellationToken);
            return;
        }

        var newKey = writer.Key(shape, row, after.Span)!;
        var oldKey = writer.Key(shape, row, old.Span)!;
        if (oldKey.AsSpan().SequenceEqual(newKey))
        {
            await ImageAsync(shape, (byte)'u', row, oldIsWhole ? old : default, after, origin, cancellationToken);
            return;
        }

        await DeleteAsync(shape, row, old, origin, new Headers { { "__debezium.newkey", newKey } }, cancellationToken);
        await SendAsync(shape, newKey, writer.Value(shape, (byte)'c', row, default, after.Span, origin), new Headers { { "__debezium.oldkey", oldKey } }, cancellationToken);
    }

    /// <summary>A delete with its tombstone.</summary>
    public async ValueTask DeleteAsync(RowShape shape, byte[] row, ReadOnlyMemory<Cell> old, ChangeOrigin origin, Headers? headers, CancellationToken cancellationToken)
    {
        var key = writer.Key(shape, row, old.Span);
        await SendAsync(shape, key, writer.Value(shape, (byte)'d', row, old.Span, default, origin), headers, cancellationToken);
        await SendAsync(shape, key, null, headers, cancellationToken);
    }

    /// <summary>
    /// A truncate. Its record goes to one of four lanes, so all of the table's earlier records are applied before it, and it is
    /// applied before the table's next record is published.
    /// </summary>
    public async ValueTask TruncateAsync(RowShape shape, ChangeOrigin origin, CancellationToken cancellationToken)
    {
        await flow.WaitUntilAppliedAsync(shape.Table.Topic, cancellationToken);
        await SendAsync(shape, null, writer.Value(shape, (byte)'t', [], default, default, origin), null, cancellationToken);
        await flow.WaitUntilAppliedAsync(shape.Table.Topic, cancellationToken);
    }

    private ValueTask ImageAsync(
        RowShape shape, byte operation, byte[] row, ReadOnlyMemory<Cell> before, ReadOnlyMemory<Cell> after, ChangeOrigin origin, CancellationToken cancellationToken) =>
        SendAsync(shape, writer.Key(shape, row, after.Span), writer.Value(shape, operation, row, before.Span, after.Span, origin), null, cancellationToken);

    private ValueTask SendAsync(RowShape shape, byte[]? key, byte[]? value, Headers? headers, CancellationToken cancellationToken)
    {
        var bytes = RecordOverhead + (key?.Length ?? 0) + (value?.Length ?? 0) + (headers?.Sum(header => header.Key.Length + header.GetValueBytes().Length) ?? 0);
        if (bytes > MaxRecordBytes)
        {
            throw new FaultException(new Fault(FaultKind.Poison, "record-too-large",
                $"A change of {shape.Table.Name} makes a record of {bytes} bytes; the embedded log takes {MaxRecordBytes}",
                "Move this table with log.kind: kafka, or exclude its large column")
            { Table = shape.Table.Name.ToString(), Key = key is null ? null : Encoding.UTF8.GetString(key) });
        }

        var lane = Lanes(shape.Table.Topic)[KeyPartition.Of(key, EmbeddedBroker.PartitionCount)];
        var room = flow.WaitForRoomAsync(lane, bytes, cancellationToken);
        if (room.IsCompletedSuccessfully)
        {
            Send(lane, bytes, key, value, headers);
            return ValueTask.CompletedTask;
        }

        return SendLaterAsync(room, lane, bytes, key, value, headers);
    }

    private async ValueTask SendLaterAsync(ValueTask room, LaneId lane, int bytes, byte[]? key, byte[]? value, Headers? headers)
    {
        await room;
        Send(lane, bytes, key, value, headers);
    }

    /// <summary>
    /// Sends, and an empty record behind a large one. Where all the in-process broker holds of a partition has to go to make room, it takes
    /// the new record for gone too and refuses to deliver it; with a small record in front of it that never happens.
    /// </summary>
    private void Send(LaneId lane, int bytes, byte[]? key, byte[]? value, Headers? headers)
    {
        if (flow.IsDiscarding)
        {
            return;
        }

        producer.Send(lane, flow.Publish(lane, bytes), key, value, headers);
        if (bytes > AloneBytes)
        {
            producer.Send(lane, flow.Publish(lane, RecordOverhead), null, null, null);
        }
    }

    private LaneId[] Lanes(string topic)
    {
        if (!lanes.TryGetValue(topic, out var found))
        {
            lanes.Add(topic, found = [.. Enumerable.Range(0, EmbeddedBroker.PartitionCount).Select(partition => new LaneId(topic, partition))]);
        }

        return found;
    }
}
