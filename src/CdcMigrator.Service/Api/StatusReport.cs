using CdcMigrator.Domain.Status;

namespace CdcMigrator.Service.Api;

/// <summary>Body of <c>GET /api/status</c> and of <c>cdcm status -o json</c>.</summary>
public sealed record StatusReport
{
    /// <summary>Name of the migration.</summary>
    public required string Migration { get; init; }

    /// <summary>What the service is doing, see <see cref="ServicePhase"/>.</summary>
    public required ServicePhase Phase { get; init; }

    /// <summary>The side applications write to: <c>source</c>, <c>target</c>, or <c>none</c> while an attempt has closed it; null where that is not known.</summary>
    public string? Writes { get; init; }

    /// <summary>Who paused it, why, since when; null while changes are applied.</summary>
    public Pause? Paused { get; init; }

    /// <summary>How far the target is behind.</summary>
    public required LagSummary Lag { get; init; }

    /// <summary>What this process applied since it started.</summary>
    public required AppliedReport Applied { get; init; }

    /// <summary>Dead letters in the target, of all processes: changes that were put aside. Null where the target does not say.</summary>
    public long? DeadLetters { get; init; }

    /// <summary>Every partition of the captured topics.</summary>
    public required IReadOnlyList<LaneReport> Lanes { get; init; }

    /// <summary>Tables of the migration file.</summary>
    public required IReadOnlyList<TableReport> Tables { get; init; }

    /// <summary>Whether a cutover may begin, and why not.</summary>
    public required GateReport Gate { get; init; }

    /// <summary>Topics the migration needs that the broker does not have.</summary>
    public required IReadOnlyList<string> MissingTopics { get; init; }

    /// <summary>What is wrong now, worst first; empty while all is well.</summary>
    public required IReadOnlyList<FaultReport> Faults { get; init; }

    /// <summary>What does not fit or will go wrong without stopping a lane yet: schema drift, slot, connector; errors first.</summary>
    public IReadOnlyList<PreflightFinding> Findings { get; init; } = [];

    /// <summary>What to do next, in order.</summary>
    public required IReadOnlyList<string> NextSteps { get; init; }
}
