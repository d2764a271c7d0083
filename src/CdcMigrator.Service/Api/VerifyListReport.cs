namespace CdcMigrator.Service.Api;

/// <summary>Body of <c>GET /api/verify</c> and of <c>cdcm verify list -o json</c>: the last comparisons, newest first.</summary>
/// <param name="Runs">Each of them.</param>
public sealed record VerifyListReport(IReadOnlyList<VerifyReport> Runs);
