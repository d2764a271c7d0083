using System.Buffers.Text;
using System.Text;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Reconciliation.Reading;

/// <summary>The parts of an event beside its rows. Spans are into the record, or copies where it had them escaped.</summary>
internal ref struct EnvelopeHead
{
    /// <summary>Bits of a binlog place its offset takes, as where the source's snapshots are measured.</summary>
    private const int BinlogOffsetBits = 40;

    /// <summary>The value is JSON's null: a tombstone that a converter wrote out.</summary>
    public bool IsNull;

    /// <summary>Debezium's <c>op</c>; 0 where there is none.</summary>
    public byte Operation;

    /// <summary>There is a source block.</summary>
    public bool HasSource;

    /// <summary>The source block says the row was read by a snapshot.</summary>
    public bool IsSnapshot;

    /// <summary>Database.</summary>
    public ReadOnlySpan<byte> Database;

    /// <summary>Schema; MariaDB has none.</summary>
    public ReadOnlySpan<byte> Schema;

    /// <summary>Table.</summary>
    public ReadOnlySpan<byte> Table;

    /// <summary>Binlog file.</summary>
    public ReadOnlySpan<byte> File;

    /// <summary>Place in the binlog file; -1 where there is none.</summary>
    public long Position;

    /// <summary>PostgreSQL's transaction id, 32 or 64 bits wide; -1 where there is none.</summary>
    public long TransactionId;

    /// <summary>An event of which nothing is known yet.</summary>
    public static EnvelopeHead Empty => new() { Position = -1, TransactionId = -1 };

    /// <summary>First part of the table's name.</summary>
    public readonly ReadOnlySpan<byte> Owner => Schema.IsEmpty ? Database : Schema;

    /// <summary>It is a row's change, or a table's.</summary>
    public readonly bool IsChange => HasSource && Operation != 0 && Operation != 'm';

    /// <summary>The row was read, not changed.</summary>
    public readonly bool IsRead => IsSnapshot || Operation == 'r';

    /// <summary>The table's name as strings.</summary>
    public readonly TableName Name => new(Encoding.UTF8.GetString(Owner), Encoding.UTF8.GetString(Table));

    /// <summary>The source's measure of visibility; false where the event does not say it.</summary>
    public readonly bool TryTransaction(bool mySql, out ulong transaction)
    {
        transaction = 0;
        if (!mySql)
        {
            // Streamed events have the lower half only.
            transaction = unchecked((uint)TransactionId);
            return TransactionId >= 0;
        }

        var number = File[(File.LastIndexOf((byte)'.') + 1)..];
        if (Position is < 0 or >= 1L << BinlogOffsetBits || !Utf8Parser.TryParse(number, out uint file, out var read) || read != number.Length || file >= 1u << (64 - BinlogOffsetBits))
        {
            return false;
        }

        transaction = ((ulong)file << BinlogOffsetBits) | (ulong)Position;
        return true;
    }
}
