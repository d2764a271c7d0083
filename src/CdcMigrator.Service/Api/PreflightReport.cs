using CdcMigrator.Domain.Preflight;

namespace CdcMigrator.Service.Api;

/// <summary>Answer of <c>cdcm preflight -o json</c>.</summary>
/// <param name="Ok">No finding is an error.</param>
/// <param name="Findings">What was found, errors first.</param>
public sealed record PreflightReport(bool Ok, IReadOnlyList<PreflightFinding> Findings)
{
    /// <summary>The report of some findings, in their order.</summary>
    public static PreflightReport Of(IReadOnlyList<Finding> findings) =>
        new(findings.All(finding => finding.Severity != Severity.Error), [.. findings.Select(PreflightFinding.Of)]);
}
