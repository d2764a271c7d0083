namespace CdcMigrator.Service.Api;

/// <summary>Body of the answer to <c>POST /api/verify/stop</c>.</summary>
/// <param name="Stopped">Numbers of the comparisons that were under way.</param>
public sealed record VerifyStopReport(IReadOnlyList<long> Stopped);
