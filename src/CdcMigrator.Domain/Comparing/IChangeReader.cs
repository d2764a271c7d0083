using CdcMigrator.Domain.Log;

namespace CdcMigrator.Domain.Comparing;

/// <summary>The reconciler's own reader of the log, which tells a table's index of every change it meets.</summary>
public interface IChangeReader
{
    /// <summary>Next offset it will read, by partition. Everything below has been told.</summary>
    IReadOnlyDictionary<LaneId, long> Positions { get; }

    /// <summary>
    /// What the source saw when it was settled where reading begins. A change below that place was written before: it may be missing in a snapshot in which a
    /// transaction as old still runs, and nothing was told of it.
    /// </summary>
    ISourceView Began { get; }

    /// <summary>
    /// Waits until everything that any snapshot taken before this call can have has been told: a marker is written to the source behind it and met in
    /// the log, the source's reader has confirmed it, and all partitions are read up to the ends they have then.
    /// </summary>
    /// <exception cref="Faults.FaultException">Unreachable, TimedOut, LogBroken: it cannot be known, so that nothing may be decided.</exception>
    Task PassAsync(CancellationToken cancellationToken);
}
