using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Log;

namespace CdcMigrator.Domain.Applying;

/// <summary>
/// The right to write one lane's changes to the target, under one epoch. One caller at a time. After any exception but
/// cancellation before the first write, drop it and claim anew: only the new claim knows what was committed.
/// </summary>
public interface ILaneWriter
{
    /// <summary>The lane owned.</summary>
    LaneId Lane { get; }

    /// <summary>Epoch of this claim.</summary>
    long Epoch { get; }

    /// <summary>Offset the next batch must start at.</summary>
    long NextOffset { get; }

    /// <summary>Highest streamed position applied, by any owner.</summary>
    SourcePosition HighestPosition { get; }

    /// <summary>
    /// Rows of the lane with dead letters when it was claimed. Later records of them must be parked too; nobody frees one under this claim
    /// without shutting it out.
    /// </summary>
    IReadOnlyCollection<ChangeKey> ParkedKeys => [];

    /// <summary>
    /// Applies a batch and moves progress to its <see cref="ChangeBatch.NextOffset"/>, in one transaction or, where a unique value is
    /// still held by another lane's row, in several that each move progress with their rows. Ordered; effectively once: a batch
    /// that was committed under an unknown outcome is not applied again, because its <see cref="ChangeBatch.FromOffset"/> no longer matches.
    /// <see cref="ChangeBatch.Parked"/> records become dead letters in the transaction that moves progress past them.
    /// </summary>
    /// <exception cref="Faults.FaultException">Fenced: another owner claimed the lane. Transient: claim anew and retry. Poison: the lane halts.</exception>
    Task<ApplyCounts> ApplyAsync(ChangeBatch batch, CancellationToken cancellationToken);

    /// <summary>
    /// The same, for a caller that holds a turn to write. A writer that may wait for another lane overrides it: it gives the turn back before such
    /// a wait and takes it again before it goes on.
    /// </summary>
    Task<ApplyCounts> ApplyAsync(ChangeBatch batch, WriterTurn turn, CancellationToken cancellationToken) => ApplyAsync(batch, cancellationToken);
}
