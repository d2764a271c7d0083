using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Postgres.Fencing;

namespace CdcMigrator.Service.Diagnosing;

/// <summary>What one database says of itself.</summary>
/// <param name="Name"><c>source</c> or <c>target</c>.</param>
internal sealed record SideFacts(string Name)
{
    /// <summary>Why it could not be asked; then nothing else is known.</summary>
    public Fault? Away { get; init; }

    /// <summary>Its fence's row; null before it was prepared.</summary>
    public FenceRecord? Record { get; init; }

    /// <summary>Holes in the fence of a side that is not open.</summary>
    public IReadOnlyList<string> Gaps { get; init; } = [];

    /// <summary>When it was closed because it said that it was open though the other side was opened later; null where it is not so.</summary>
    public DateTimeOffset? ShutAt { get; init; }

    /// <summary>An attempt that waits for its tables' locks, and who holds them.</summary>
    public Fault? Waiting { get; init; }

    /// <summary>What an attempt to leave an open side would be refused by.</summary>
    public IReadOnlyList<Finding> Obstacles { get; init; } = [];

    /// <summary>Name of the slot that is read here.</summary>
    public string SlotName { get; init; } = "";

    /// <summary>That slot; null where there is none.</summary>
    public SlotState? Slot { get; init; }

    /// <summary>Lanes into this side that are applied; without those of markers.</summary>
    public int LanesOpen { get; init; }

    /// <summary>Lanes into this side that are frozen.</summary>
    public int LanesFrozen { get; init; }

    /// <summary>Rows that others than appliers changed here since it was closed, by table, as far as a process of the migration saw it.</summary>
    public IReadOnlyDictionary<string, long> Leaked { get; init; } = new Dictionary<string, long>();
}
