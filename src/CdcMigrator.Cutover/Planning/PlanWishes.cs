namespace CdcMigrator.Cutover.Planning;

/// <summary>What a source cannot tell: what its owners want and can do.</summary>
public sealed record PlanWishes
{
    /// <summary>Longest time the application may go without writing.</summary>
    public TimeSpan Downtime { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Going back after the cutover, with what was written since, must be possible.</summary>
    public bool Rollback { get; init; } = true;

    /// <summary>The application's code can be changed for the move: to write two databases, or to read some tables from another.</summary>
    public bool CanChangeApplication { get; init; }

    /// <summary>How long a connector that stands must be survived without copying anything again.</summary>
    public TimeSpan Outage { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How long the log keeps records: for a target that stands, and for looking back.</summary>
    public TimeSpan LogRetention { get; init; } = TimeSpan.FromDays(7);
}
