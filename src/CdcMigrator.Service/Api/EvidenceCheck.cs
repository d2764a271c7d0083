namespace CdcMigrator.Service.Api;

/// <summary>How whoever audits checks one claim with psql alone.</summary>
/// <param name="Side">Where to ask: <c>source</c> or <c>target</c>.</param>
/// <param name="Claim">What is claimed, in one sentence.</param>
/// <param name="Sql">The question.</param>
/// <param name="Expected">What the answer must be.</param>
public sealed record EvidenceCheck(string Side, string Claim, string Sql, string Expected);
