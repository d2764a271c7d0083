namespace CdcMigrator.Domain.Migrations;

/// <summary>How long each step before the seal may take; beyond it all is undone. Behind the seal nothing is undone, so nothing has a deadline.</summary>
public sealed record CutoverDeadlines
{
    /// <summary>Until all that can be done while applications write is done. Nobody waits meanwhile.</summary>
    public TimeSpan Preparing { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Until the fence has the locks of all tables.</summary>
    public TimeSpan Fencing { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>From the fence until everything before it is in the side that takes over.</summary>
    public TimeSpan Draining { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Until every key that changed is found equal on both sides.</summary>
    public TimeSpan FinalVerify { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Until the way back is known to begin at the seal.</summary>
    public TimeSpan ReverseArmed { get; init; } = TimeSpan.FromSeconds(10);
}
