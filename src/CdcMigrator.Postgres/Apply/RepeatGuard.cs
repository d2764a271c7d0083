using CdcMigrator.Domain.Changes;

namespace CdcMigrator.Postgres.Apply;

/// <summary>
/// Tells what of a lane's streamed changes was applied before (invariant A4). Pure.
/// <para>
/// A position names the last commit before the change. Debezium takes it, for the first transaction after a start, from the offset Connect had stored, which may be older than where its slot stands: that
/// transaction then seems to lie before others that were applied, though it may be new. Of all later ones of the same run it names the true commit. So where positions go back, the transaction that comes first
/// of a run is doubted: its rows are read from the source. Others of that run which lie before what was applied are repeats; of a record that does not name its run each is doubted. Where the source cannot
/// be asked all that follows is applied again, to the repeat's end, for a repeat is contiguous. The embedded log's positions are exact.
/// </para>
/// </summary>
/// <param name="Highest">Highest position applied since the last change whose place is not known.</param>
/// <param name="IsExact">Whether positions are always true.</param>
/// <param name="CanAsk">Whether the source can be asked about what is doubted.</param>
internal readonly record struct RepeatGuard(SourcePosition Highest, bool IsExact = false, bool CanAsk = false)
{
    /// <summary>The connector's run whose changes lie before others that were applied; 0 while none do.</summary>
    private ulong Run { get; init; }

    /// <summary>The transaction of it that came first.</summary>
    private uint Doubted { get; init; }

    /// <summary>Whether a change was applied before for certain: it is left out.</summary>
    /// <param name="position">Its position.</param>
    /// <param name="run">The connector's run that sent it; 0 where it does not say.</param>
    public bool IsRepeat(SourcePosition position, ulong run) =>
        position.IsReplayOf(Highest) && (IsExact || (CanAsk && run != 0 && run == Run && position.TransactionId != Doubted));

    /// <summary>
    /// The same of a truncate, in a lane that has all of its table. It has the table to itself from before its LSN to its commit: it was applied exactly if something behind it was. What it would delete again is not
    /// repeated behind it.
    /// </summary>
    public bool IsRepeatedTruncate(SourcePosition position, ulong run) => IsRepeat(position, run)
        || (position.IsComparable && (position.CompareTo(Highest) == 0 || (IsDoubtful(position, run) && position.Lsn <= Highest.Lsn)));

    /// <summary>Whether only the source says what a change's row holds now.</summary>
    public bool IsDoubtful(SourcePosition position, ulong run) => CanAsk && position.IsReplayOf(Highest) && !IsRepeat(position, run);

    /// <summary>Behind a streamed change.</summary>
    public RepeatGuard Behind(SourcePosition position, ulong run) =>
        IsRepeat(position, run) ? this
        : IsDoubtful(position, run) ? this with { Run = run, Doubted = position.TransactionId }
        : this with { Highest = position.IsUnknown || position.IsReplayOf(Highest) ? SourcePosition.None : SourcePosition.Max(Highest, position), Run = 0, Doubted = 0 };
}
