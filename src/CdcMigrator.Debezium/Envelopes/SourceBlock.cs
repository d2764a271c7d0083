using System.Buffers.Text;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Debezium.Envelopes;

/// <summary>What an event's <c>source</c> block says. Reused for every record.</summary>
internal sealed class SourceBlock
{
    /// <summary>Database: MariaDB's part of a table's name.</summary>
    public Utf8Name Db { get; } = new();

    /// <summary>Schema; empty for MariaDB.</summary>
    public Utf8Name Schema { get; } = new();

    /// <summary>Table.</summary>
    public Utf8Name Table { get; } = new();

    /// <summary>Commit time, Unix milliseconds.</summary>
    public long TimestampMs { get; set; }

    /// <summary>LSN of the change.</summary>
    public ulong Lsn { get; set; }

    /// <summary>Transaction id, 32 or 64 bits wide.</summary>
    public ulong TransactionId { get; set; }

    /// <summary>A row of an incremental snapshot: has no position of its own, whatever its <c>sequence</c> says.</summary>
    public bool IsIncremental { get; set; }

    /// <summary>
    /// From 3.7 on Debezium stores how many changes of an LSN it has sent, and begins behind them (dbz#1554); before, it began with all of them or none. What does not say its version may do either.
    /// </summary>
    public bool RunMayBeginWithinLsn { get; private set; } = true;

    private ulong sequenceCommit;
    private ulong sequenceLsn;

    /// <summary>Forgets the former record.</summary>
    public void Clear()
    {
        Db.SetLength(0);
        Schema.SetLength(0);
        Table.SetLength(0);
        TimestampMs = 0;
        Lsn = TransactionId = sequenceCommit = sequenceLsn = 0;
        IsIncremental = false;
        RunMayBeginWithinLsn = true;
    }

    /// <summary>The first part of the table's name.</summary>
    public Utf8Name Owner => Schema.Length > 0 ? Schema : Db;

    /// <summary>The table's name as strings.</summary>
    public TableName ToTableName() => new(Owner.ToString(), Table.ToString());

    /// <summary>Where the change stands in the source.</summary>
    public SourcePosition Position => IsIncremental
        ? SourcePosition.None
        : new SourcePosition(sequenceCommit, sequenceLsn != 0 ? sequenceLsn : Lsn, unchecked((uint)TransactionId));

    /// <summary>Reads the version of the connector, as <c>3.5.0.Final</c>.</summary>
    public void SetVersion(ReadOnlySpan<byte> text) => RunMayBeginWithinLsn =
        !Utf8Parser.TryParse(text, out int major, out var dot) || dot >= text.Length || !Utf8Parser.TryParse(text[(dot + 1)..], out int minor, out _) || major > 3 || (major == 3 && minor >= 7);

    /// <summary>Reads <c>["commit","lsn"]</c>, a JSON array in a string, so that its quotes may be escaped; null for an unknown commit.</summary>
    /// <exception cref="FormatException">It is something else.</exception>
    public void SetSequence(ReadOnlySpan<byte> text)
    {
        sequenceCommit = Part(ref text, (byte)'[');
        sequenceLsn = Part(ref text, (byte)',');
        if (text.TrimStart("\\\" "u8) is not [(byte)']'])
        {
            throw NoSequence();
        }
    }

    private static ulong Part(ref ReadOnlySpan<byte> text, byte before)
    {
        text = text.TrimStart("\\\" "u8);
        if (text.Length == 0 || text[0] != before)
        {
            throw NoSequence();
        }

        text = text[1..].TrimStart("\\\" "u8);
        if (text.StartsWith("null"u8))
        {
            text = text[4..];
            return 0;
        }

        if (!Utf8Parser.TryParse(text, out ulong value, out var consumed))
        {
            throw NoSequence();
        }

        text = text[consumed..];
        return value;
    }

    private static FormatException NoSequence() => new("source.sequence is not a pair of log positions");
}
