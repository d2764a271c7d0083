using CdcMigrator.Domain.Faults;

namespace CdcMigrator.Service.Watching;

/// <summary>What the service does about a connector that has failed.</summary>
/// <param name="Count">Restarts in a row so far.</param>
/// <param name="Limit">Most of them; 0: it never restarts one.</param>
internal sealed record RestartOutlook(int Count, int Limit)
{
    /// <summary>How long until the next restart; null where none is left.</summary>
    public TimeSpan? Next { get; init; }

    /// <summary>Whether Connect is being asked for one now.</summary>
    public bool IsAsked { get; init; }

    /// <summary>What keeps it from being restarted.</summary>
    public RestartBarrier? Barrier { get; init; }

    /// <summary>Why Connect did not take the last request.</summary>
    public Fault? Refused { get; init; }
}
