namespace CdcMigrator.Service.Api;

/// <summary>Answer of <c>cdcm preflight -o json</c>.</summary>
/// <param name="Ok">No finding is an error.</param>
/// <param name="Findings">What was found, errors first.</param>
public sealed record PreflightReport(bool Ok, IReadOnlyList<PreflightFinding> Findings);
