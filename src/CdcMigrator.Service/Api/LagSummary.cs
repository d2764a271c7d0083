namespace CdcMigrator.Service.Api;

/// <summary>How far the target is behind the log.</summary>
/// <param name="Records">Records not yet applied, over all lanes.</param>
/// <param name="Seconds">Age of the oldest change not yet applied, source clock against this machine's; 0 when caught up.</param>
public sealed record LagSummary(long Records, double Seconds);
