using CdcMigrator.Domain.Log;

namespace CdcMigrator.Domain.Applying;

/// <summary>The target's progress table: who owns a lane and how far it is.</summary>
public interface ILaneStore
{
    /// <summary>
    /// Takes a lane over: raises its epoch, which waits for the outcome of the old owner's transaction and shuts that owner out
    /// (invariant A1), and creates the progress row at <paramref name="logStart"/> if there is none. May be called again any time.
    /// </summary>
    /// <param name="lane">Lane to own.</param>
    /// <param name="identity">The log as it is now; must equal what was recorded.</param>
    /// <param name="logStart">Where a lane without progress begins.</param>
    /// <param name="cancellationToken">Stops waiting; the epoch may have been raised all the same.</param>
    /// <exception cref="Faults.FaultException">LogBroken: another cluster, topic or partition count. NotAllowed: the lane is frozen, or held by a pause. Unreachable, Transient: try again.</exception>
    Task<ILaneWriter> ClaimAsync(LaneId lane, LogIdentity identity, long logStart, CancellationToken cancellationToken);

    /// <summary>Committed progress of all lanes of the migration, in every process.</summary>
    Task<IReadOnlyList<LaneProgress>> ReadProgressAsync(CancellationToken cancellationToken);
}
