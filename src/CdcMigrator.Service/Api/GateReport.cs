namespace CdcMigrator.Service.Api;

/// <summary>Whether a cutover may begin.</summary>
/// <param name="Open">Every criterion passes, or was waived.</param>
/// <param name="Criteria">The criteria.</param>
public sealed record GateReport(bool Open, IReadOnlyList<GateCriterion> Criteria);
