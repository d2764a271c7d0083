using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Faults;

namespace CdcMigrator.Domain.Status;

/// <summary>The apply pipeline of this process at one moment.</summary>
public sealed record PipelineStatus
{
    /// <summary>Lanes assigned to this process.</summary>
    public required IReadOnlyList<LaneStatus> Lanes { get; init; }

    /// <summary>What was applied since the process started.</summary>
    public required ApplyCounts Applied { get; init; }

    /// <summary>Topics the migration names that the broker does not have yet.</summary>
    public IReadOnlyList<string> MissingTopics { get; init; } = [];

    /// <summary>A fault of the whole pipeline (broker unreachable, …); null while all is well.</summary>
    public Fault? Fault { get; init; }

    /// <summary>When the poll loop last turned, for liveness.</summary>
    public DateTimeOffset LastPollAt { get; init; }
}
