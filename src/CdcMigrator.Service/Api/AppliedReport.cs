using CdcMigrator.Domain.Applying;

namespace CdcMigrator.Service.Api;

/// <summary>Changes applied, by kind; replays were skipped.</summary>
/// <param name="Inserts">Rows inserted.</param>
/// <param name="Updates">Rows updated.</param>
/// <param name="Deletes">Rows deleted.</param>
/// <param name="SnapshotRows">Rows of snapshots.</param>
/// <param name="Replays">Changes skipped because they had been applied before.</param>
public sealed record AppliedReport(long Inserts, long Updates, long Deletes, long SnapshotRows, long Replays)
{
    internal static AppliedReport Of(ApplyCounts counts) => new(counts.Inserts, counts.Updates, counts.Deletes, counts.SnapshotRows, counts.Replays);
}
