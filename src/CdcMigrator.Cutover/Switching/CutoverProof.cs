using CdcMigrator.Domain.Fencing;

namespace CdcMigrator.Cutover.Switching;

/// <summary>What must be so before a side may be left.</summary>
/// <param name="Tables">What is known of each table, in words: verdict and rows.</param>
/// <param name="Sequences">Sequences that were moved on.</param>
/// <param name="Back">Where the way back begins; null where there is none.</param>
/// <param name="BackMarker">The marker on the side that takes over, behind which the way back begins.</param>
public sealed record CutoverProof(IReadOnlyList<TableProof> Tables, IReadOnlyList<string> Sequences, DirectionStart? Back, FencePosition? BackMarker)
{
    /// <summary>Why there is no way back; null where there is one.</summary>
    public string? NoReturn { get; init; }
}
