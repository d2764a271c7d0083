namespace CdcMigrator.Cutover.Advising;

/// <summary>What is known of a migration when advice is asked for. What nobody says is named, and never taken for good.</summary>
public sealed record AdviceFacts
{
    /// <summary>Where it is.</summary>
    public required Standing Standing { get; init; }

    /// <summary>From the source to the target.</summary>
    public required WayFacts Forward { get; init; }

    /// <summary>From the target to the source; null where there is no way back.</summary>
    public WayFacts? Back { get; init; }

    /// <summary>Whether the side that applications do not write to was left without a way back to it.</summary>
    public bool NoReturn { get; init; }

    /// <summary>Whether the attempt under way, if there is one, leaves the target.</summary>
    public bool IsGoingBack { get; init; }

    /// <summary>Whether a cutover without a way back is refused.</summary>
    public bool RequiresReverse { get; init; } = true;

    /// <summary>Whether both sides are prepared for an attempt.</summary>
    public bool IsPrepared { get; init; }

    /// <summary>Whether a side is closed by an attempt whose lease is over.</summary>
    public bool IsForsaken { get; init; }

    /// <summary>Whether applications were told where to write, by all hooks.</summary>
    public bool IsRouted { get; init; } = true;

    /// <summary>How long the target has taken writes.</summary>
    public TimeSpan OpenFor { get; init; }

    /// <summary>How long the way back is to be kept.</summary>
    public TimeSpan Window { get; init; }

    /// <summary>Benchmarks that did not pass since the target took over, or before it where it has not.</summary>
    public IReadOnlyList<ReadFact> SlowReads { get; init; } = [];

    /// <summary>Rows that the side that was left has and the target has not, or that others than the migration wrote there.</summary>
    public long LostRows { get; init; }

    /// <summary>Other rows in which the side that was left differs from the target.</summary>
    public long WrongRows { get; init; }

    /// <summary>Holes in the fence of a closed side.</summary>
    public IReadOnlyList<string> Gaps { get; init; } = [];

    /// <summary>What could not be asked.</summary>
    public IReadOnlyList<string> NotKnown { get; init; } = [];
}
