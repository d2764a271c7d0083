using CdcMigrator.Domain.Checks;

namespace CdcMigrator.Service.Api;

/// <summary>Body of <c>GET /api/verify/checks</c> and of <c>cdcm verify checks -o json</c>: what each kind of check found last.</summary>
/// <param name="Checks">Each kind that was ever checked.</param>
public sealed record VerifyChecksReport(IReadOnlyList<CheckReport> Checks);
