using CdcMigrator.Domain.Status;

namespace CdcMigrator.Service.Api;

/// <summary>Body of <c>GET /api/lag</c> and of <c>cdcm lag -o json</c>.</summary>
/// <param name="Migration">Name of the migration.</param>
/// <param name="Records">Records not yet applied, over all lanes.</param>
/// <param name="Seconds">Age of the oldest change not yet applied; 0 when caught up.</param>
/// <param name="Tables">By table, the furthest behind first.</param>
/// <param name="Partitions">By partition, the furthest behind first.</param>
public sealed record LagReport(string Migration, long Records, double Seconds, IReadOnlyList<TableLag> Tables, IReadOnlyList<PartitionLag> Partitions)
{
    /// <summary>Who paused the migration, why, since when; null while changes are applied.</summary>
    public Pause? Paused { get; init; }
}
