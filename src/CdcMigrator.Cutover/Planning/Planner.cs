using CdcMigrator.Domain.Auditing;
using CdcMigrator.Domain.Preflight;

namespace CdcMigrator.Cutover.Planning;

/// <summary>From what a source holds and its owners want to a plan. Pure: the same audit gives the same plan.</summary>
public static class Planner
{
    /// <summary>The plan.</summary>
    /// <param name="audit">What the source holds.</param>
    /// <param name="wishes">What its owners want.</param>
    /// <param name="costs">What single steps cost.</param>
    /// <param name="inOneLane">Tables whose topics must have one partition.</param>
    public static MigrationPlan Of(AuditReport audit, PlanWishes wishes, UnitCosts costs, IReadOnlySet<string> inOneLane)
    {
        var sizing = Sizing.Of(audit, wishes, costs, inOneLane);
        var groups = TableGroups.Of(audit);
        return new MigrationPlan
        {
            Migration = audit.Migration,
            AuditedAt = audit.At,
            Source = audit.Source,
            Wishes = wishes,
            Strategies = [.. StrategyScores.Of(audit, wishes, sizing, groups, costs).OrderByDescending(score => score.Score).ThenBy(score => score.Strategy == Strategy.ChangeDataCapture ? 0 : 1).ThenBy(score => score.Strategy)],
            Blockers =
            [
                .. audit.Findings.Where(finding => finding.Severity == Severity.Error)
                    .Select(finding => finding.Table is null ? finding.Code : finding.Column is null ? $"{finding.Code} {finding.Table}" : $"{finding.Code} {finding.Table}.{finding.Column}")
                    .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal),
            ],
            Sizing = sizing,
            Groups = groups,
            Risks = PlanRisks.Of(audit, wishes, sizing),
        };
    }
}
