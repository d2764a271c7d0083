using CdcMigrator.Domain.Comparing;

namespace CdcMigrator.Reconciliation.Changes;

/// <summary>
/// What two snapshots have of one table's changes. Pure. Rule R2: a change is in the source's if its transaction is visible there, in the target's if its offset
/// lies below the progress that was read in it. The target's is to be taken first: a row may show more than its lane has applied (a value read again from the source, a row
/// that made way for another one's unique value, a repaired one), but nothing that a later snapshot of the source does not see.
/// </summary>
/// <param name="Source">What the source's snapshot sees.</param>
/// <param name="Applied">Next offset of each partition of the table's topic in the target's snapshot; one that is not named has none.</param>
/// <param name="ReadBefore">
/// Where the reconciler's reader stood in each partition before the source's snapshot was taken. A row the connector read and published before that is in it;
/// of one published later nobody can say.
/// </param>
public sealed record SnapshotPair(ISourceView Source, IReadOnlyDictionary<int, long> Applied, IReadOnlyDictionary<int, long> ReadBefore)
{
    /// <summary>Whether the target's snapshot has the change.</summary>
    public bool IsApplied(ChangeMark mark) => mark.Offset < Applied.GetValueOrDefault(mark.Partition);

    /// <summary>Whether the source's snapshot has the change; null where that cannot be known.</summary>
    public bool? IsSeen(ChangeMark mark) =>
        !mark.IsRead ? Source.Sees(mark.Transaction)
        : mark.Offset < ReadBefore.GetValueOrDefault(mark.Partition) ? true : null;

    /// <summary>Whether both snapshots have the change, so that comparing them also verified it.</summary>
    public bool Covers(ChangeMark mark) => IsApplied(mark) && IsSeen(mark) == true;

    /// <summary>Whether the change explains that a row differs: one snapshot has it and the other has not, or may not.</summary>
    /// <param name="mark">A change of the row, or of the whole table.</param>
    public bool Explains(ChangeMark mark) => IsSeen(mark) != IsApplied(mark);
}
