using CdcMigrator.Postgres.Resync;

namespace CdcMigrator.Service.Api;

/// <summary>A table being copied again, or the last time it was.</summary>
/// <param name="Phase">requested, copying, removing (rows the source no longer has), done or failed.</param>
/// <param name="RequestedAt">When it was asked for.</param>
/// <param name="UpdatedAt">When it last moved.</param>
/// <param name="Removed">Rows removed because the source no longer has them.</param>
/// <param name="Fault">Why it failed, or what it waits for.</param>
public sealed record ResyncReport(string Phase, DateTimeOffset RequestedAt, DateTimeOffset UpdatedAt, long Removed, string? Fault)
{
    internal static ResyncReport Of(ResyncState state) => new(state.Phase, state.RequestedAt, state.UpdatedAt, state.Removed, state.Fault);
}
