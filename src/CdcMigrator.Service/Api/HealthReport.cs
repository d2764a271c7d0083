namespace CdcMigrator.Service.Api;

/// <summary>Body of the health addresses.</summary>
/// <param name="Ok">The answer: 200 where true, 503 where not.</param>
/// <param name="Detail">Why not, or what was looked at.</param>
public sealed record HealthReport(bool Ok, string Detail);
