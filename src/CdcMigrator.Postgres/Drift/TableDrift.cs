using CdcMigrator.Domain.Preflight;

namespace CdcMigrator.Postgres.Drift;

/// <summary>What became of one table of the source since it was last seen, against the table it maps to.</summary>
/// <param name="Findings">What does not fit, each with the statement that mends it.</param>
/// <param name="ResyncReason">Why rows of the target may differ although every event was applied; null where they do not.</param>
/// <param name="Halts">Whether events of the table could be written as something else than they are, so that none may be.</param>
internal sealed record TableDrift(IReadOnlyList<Finding> Findings, string? ResyncReason, bool Halts);
