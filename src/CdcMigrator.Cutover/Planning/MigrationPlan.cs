using CdcMigrator.Domain.Auditing;

namespace CdcMigrator.Cutover.Planning;

/// <summary>How to move a source: strategies by score, what they need, what may go wrong.</summary>
public sealed record MigrationPlan
{
    /// <summary>Name of the migration.</summary>
    public required string Migration { get; init; }

    /// <summary>When the audit was made.</summary>
    public required DateTimeOffset AuditedAt { get; init; }

    /// <summary>The source.</summary>
    public required SourceProfile Source { get; init; }

    /// <summary>What its owners want.</summary>
    public required PlanWishes Wishes { get; init; }

    /// <summary>The strategies, best first.</summary>
    public required IReadOnlyList<StrategyScore> Strategies { get; init; }

    /// <summary>The first of them.</summary>
    public Strategy Recommended => Strategies[0].Strategy;

    /// <summary>What has to be mended before anything is moved: errors of the audit, by code and table.</summary>
    public required IReadOnlyList<string> Blockers { get; init; }

    /// <summary>How long steps take and what they need.</summary>
    public required PlanSizing Sizing { get; init; }

    /// <summary>Tables that foreign keys hold together, smallest first.</summary>
    public required IReadOnlyList<TableGroup> Groups { get; init; }

    /// <summary>What may go wrong, gravest first.</summary>
    public required IReadOnlyList<PlanRisk> Risks { get; init; }
}
