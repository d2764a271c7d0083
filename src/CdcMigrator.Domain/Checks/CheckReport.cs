using System.Text.Json.Serialization;

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

    /// <summary>What the migration file asked when it was made: a fingerprint of each thing, by name.</summary>
    [JsonIgnore]
    public IReadOnlyDictionary<string, string> Asked { get; init; } = new Dictionary<string, string>();

    /// <summary>Things of the migration file that were not asked as it asks now: added or changed since, so that nothing is known of them.</summary>
    public IReadOnlyList<string> Changed { get; init; } = [];

    /// <summary>Those results that answer what the migration file asks now.</summary>
    [JsonIgnore]
    public IEnumerable<CheckResult> Answers => Results.Where(result => !Changed.Contains(result.Table ?? result.Name));

    /// <summary>The whole, no better than its worst part.</summary>
    public CheckState State => Fault is not null || Answers.Any(result => result.State == CheckState.Error) ? CheckState.Error
        : Answers.Any(result => result.Blocks) ? CheckState.Fail
        : Changed.Count > 0 || Answers.Any(result => result.State == CheckState.InFlight) ? CheckState.InFlight
        : CheckState.Pass;

    /// <summary>The report as it is to be read by whoever asks this.</summary>
    /// <param name="asked">What the migration file asks now: a fingerprint of each thing, by name.</param>
    public CheckReport Against(IReadOnlyDictionary<string, string> asked) =>
        this with { Changed = [.. asked.Where(thing => Asked.GetValueOrDefault(thing.Key) != thing.Value).Select(thing => thing.Key).Order(StringComparer.Ordinal)] };

    /// <summary>Most results that are kept.</summary>
    public const int MostResults = 5_000;
}
