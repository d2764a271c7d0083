namespace CdcMigrator.Domain.Changes;

/// <summary>
/// Place of a change in a PostgreSQL source: (last commit LSN, LSN) in that order, as in Debezium's <c>source.sequence</c>.
/// Within a lane it decreases where the connector repeats records, and where it has just started: of the first transaction it may name a commit from before others it has sent. It is not unique: the halves of a key change
/// share one, and so do rows of one COPY. Positions of different lineages do not compare.
/// </summary>
/// <param name="CommitLsn">LSN of the last commit before the change; 0 where Debezium does not know it (just after a connector's start).</param>
/// <param name="Lsn">LSN of the change itself; 0 where the event carries none (incremental snapshot rows).</param>
/// <param name="TransactionId">Transaction id modulo 2^32; 0 where the event carries none.</param>
public readonly record struct SourcePosition(ulong CommitLsn, ulong Lsn, uint TransactionId) : IComparable<SourcePosition>
{
    /// <summary>No position at all.</summary>
    public static SourcePosition None => default;

    /// <summary>Whether both LSNs are known. Only such positions decide that a change is a replay: an unknown commit LSN would sort lowest.</summary>
    public bool IsComparable => CommitLsn != 0 && Lsn != 0;

    /// <summary>Whether it is of a streamed change whose place is not known: a new one, or the first of a repeat.</summary>
    public bool IsUnknown => Lsn != 0 && !IsComparable;

    /// <summary>Orders by commit LSN, then LSN. The transaction id does not take part.</summary>
    public int CompareTo(SourcePosition other)
    {
        var byCommit = CommitLsn.CompareTo(other.CommitLsn);
        return byCommit != 0 ? byCommit : Lsn.CompareTo(other.Lsn);
    }

    /// <summary>Whether it lies before the highest applied position. Where positions are exact such a streamed change was applied before (invariant A4). Equal positions are not replays.</summary>
    public bool IsReplayOf(SourcePosition highestApplied) =>
        IsComparable && highestApplied.IsComparable && CompareTo(highestApplied) < 0;

    /// <summary>The later of two positions; one that does not compare never wins over one that does.</summary>
    public static SourcePosition Max(SourcePosition left, SourcePosition right) =>
        !right.IsComparable ? left : !left.IsComparable || right.CompareTo(left) > 0 ? right : left;

    /// <summary><c>commit/lsn</c> in PostgreSQL's hexadecimal notation.</summary>
    public override string ToString() => $"{Format(CommitLsn)},{Format(Lsn)}";

    /// <summary>One LSN in PostgreSQL's notation, <c>16/B374D848</c>.</summary>
    public static string Format(ulong lsn) => $"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}";

    /// <summary>Earlier than.</summary>
    public static bool operator <(SourcePosition left, SourcePosition right) => left.CompareTo(right) < 0;

    /// <summary>Later than.</summary>
    public static bool operator >(SourcePosition left, SourcePosition right) => left.CompareTo(right) > 0;

    /// <summary>Earlier than or equal to.</summary>
    public static bool operator <=(SourcePosition left, SourcePosition right) => left.CompareTo(right) <= 0;

    /// <summary>Later than or equal to.</summary>
    public static bool operator >=(SourcePosition left, SourcePosition right) => left.CompareTo(right) >= 0;
}
