using CdcMigrator.Domain.Log;

namespace CdcMigrator.Domain.Comparing;

/// <summary>A snapshot of the target.</summary>
public interface ITargetSnapshot : ISideSnapshot
{
    /// <summary>Next offset of every lane as committed with the rows the snapshot sees: a change is in it exactly if its offset is lower.</summary>
    IReadOnlyDictionary<LaneId, long> Progress { get; }

    /// <summary>Rows whose changes are parked as dead letters; null where it cannot be told which of the table are.</summary>
    Task<IReadOnlySet<RowKey>?> ParkedAsync(ComparedTable table, CancellationToken cancellationToken);
}
