using CdcMigrator.Domain.Comparing;

namespace CdcMigrator.Reconciliation.Changes;

/// <summary>
/// A row that changed since it was last verified, and those of its changes that may be in one side only. A row's changes are in one partition, and each waited for
/// the transaction before it to end: a snapshot that sees the newest sees them all, and so does a target that has the newest.
/// </summary>
internal sealed class DirtyKey
{
    private readonly List<ChangeMark> open = [];

    /// <summary>The newest change.</summary>
    public ChangeMark Last { get; private set; }

    /// <summary>Changes that are not known to be in both sides from now on; oldest first.</summary>
    public IReadOnlyList<ChangeMark> Open => open;

    /// <summary>Adds the newest change.</summary>
    public void Add(ChangeMark mark)
    {
        Last = mark;
        open.Add(mark);
    }

    /// <summary>Forgets changes that no later pair of snapshots can disagree about.</summary>
    public void Settle(Predicate<ChangeMark> settled) => open.RemoveAll(settled);
}
