namespace CdcMigrator.Cutover.Advising;

/// <summary>What is known of one direction.</summary>
public sealed record WayFacts
{
    /// <summary>What keeps its gate closed; null where that is not known.</summary>
    public IReadOnlyList<GateFact>? Closing { get; init; }

    /// <summary>Criteria that pass by a person's waiver.</summary>
    public IReadOnlyList<string> Waived { get; init; } = [];

    /// <summary>Why it does not run; null where it does.</summary>
    public string? Fault { get; init; }

    /// <summary>What mends that.</summary>
    public string FaultFix { get; init; } = "";

    /// <summary>Who paused it, and why; null where nobody did.</summary>
    public string? Paused { get; init; }

    /// <summary>Whether its log is known to have lost changes, or will have: the slot is lost.</summary>
    public string? Broken { get; init; }

    /// <summary>Why its slot is close to be lost, or is not read; null where it is neither.</summary>
    public string? Slot { get; init; }

    /// <summary>What mends that.</summary>
    public string SlotFix { get; init; } = "";

    /// <summary>Whether its gate is known to be open.</summary>
    public bool IsProven => Closing is { Count: 0 } && Fault is null && Paused is null && Broken is null;
}
