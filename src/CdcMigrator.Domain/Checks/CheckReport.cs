namespace CdcMigrator.Domain.Checks;

/// <summary>What one kind of check found when it was last made. Immutable; kept in the target, so that any process shows it.</summary>
public sealed record CheckReport
{
    /// <summary>Which kind.</summary>
    public required CheckKind Kind { get; init; }

    /// <summary>When it ended.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>How long it took.</summary>
    public TimeSpan Took { get; init; }

    /// <summary>The comparison that asked for it, or the last one before; 0 for none.</summary>
    public long Run { get; init; }

    /// <summary>Where both sides were when it began, in the databases' words.</summary>
    public string? Evidence { get; init; }

    /// <summary>Why it could not be made as a whole; null where it was. Then nothing of it counts.</summary>
    public string? Fault { get; init; }

    /// <summary>Each thing that was checked, at most <see cref="MostResults"/>: those that do not pass first.</summary>
    public IReadOnlyList<CheckResult> Results { get; init; } = [];

    /// <summary>Results beyond those that are kept.</summary>
    public int More { get; init; }

    /// <summary>The whole, no better than its worst part.</summary>
    public CheckState State => Fault is not null || Results.Any(result => result.State == CheckState.Error) ? CheckState.Error
        : Results.Any(result => result.Blocks) ? CheckState.Fail
        : Results.Any(result => result.State == CheckState.InFlight) ? CheckState.InFlight
        : CheckState.Pass;

    /// <summary>Most results that are kept.</summary>
    public const int MostResults = 5_000;
}
