using CdcMigrator.Domain.Comparing;
using CdcMigrator.Reconciliation.Changes;

namespace CdcMigrator.Reconciliation.Deciding;

/// <summary>What comparing some rows of a table at one pair of snapshots found.</summary>
public sealed record Comparison
{
    /// <summary>The snapshots.</summary>
    public required SnapshotPair Pair { get; init; }

    /// <summary>Rows of the source that were compared.</summary>
    public long Rows { get; init; }

    /// <summary>Rows of the target that were compared.</summary>
    public long RowsTarget { get; init; }

    /// <summary>Rows that are wrong.</summary>
    public IReadOnlyList<RowMismatch> Wrong { get; init; } = [];

    /// <summary>Rows that differ, which a change on its way explains.</summary>
    public IReadOnlyList<RowKey> InFlight { get; init; } = [];

    /// <summary>Rows that differ, whose changes are parked.</summary>
    public IReadOnlyList<RowKey> Parked { get; init; } = [];

    /// <summary>Rows whose changes are parked, and that were not found different: what becomes of these changes is in no log, so that the rows have to be compared again.</summary>
    public IReadOnlyList<RowKey> ParkedEqual { get; init; } = [];

    /// <summary>There are dead letters of the table whose rows cannot be told: no row counts as compared.</summary>
    public bool ParkedUnknown { get; init; }

    /// <summary>More rows differed than are named.</summary>
    public bool Truncated { get; init; }

    /// <summary>The table ended within what was compared.</summary>
    public bool AtEnd { get; init; }

    /// <summary>The last key that was compared; null at the table's end.</summary>
    public RowKey? Last { get; init; }
}
