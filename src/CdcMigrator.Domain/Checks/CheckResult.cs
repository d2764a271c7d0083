using CdcMigrator.Domain.Preflight;

namespace CdcMigrator.Domain.Checks;

/// <summary>What a check found of one thing: a table's count, a rule, a constraint, a sequence.</summary>
/// <param name="Name">Names it within its kind.</param>
/// <param name="State">What was found.</param>
/// <param name="Message">What is so, without values of rows.</param>
public sealed record CheckResult(string Name, CheckState State, string Message)
{
    /// <summary>Its weight where it does not pass; only <see cref="Severity.Error"/> closes the gate.</summary>
    public Severity Severity { get; init; } = Severity.Error;

    /// <summary>Source table concerned, if one.</summary>
    public string? Table { get; init; }

    /// <summary>Column concerned, by its source name, if one.</summary>
    public string? Column { get; init; }

    /// <summary>What the source has.</summary>
    public string? Source { get; init; }

    /// <summary>What the target has.</summary>
    public string? Target { get; init; }

    /// <summary>By how much they differ, where that is a number.</summary>
    public string? Difference { get; init; }

    /// <summary>By how much they may.</summary>
    public string? Allowed { get; init; }

    /// <summary>What to do; empty where nothing is.</summary>
    public string Fix { get; init; } = "";

    /// <summary>When it was last found as it must be; null for never. Carried over from one look to the next.</summary>
    public DateTimeOffset? PassedAt { get; init; }

    /// <summary>The snapshots it was decided in, in the databases' words; null where it is of a catalog.</summary>
    public string? Evidence { get; init; }

    /// <summary>A sample was looked at, not everything.</summary>
    public bool IsSampled { get; init; }

    /// <summary>Whether it keeps a gate closed: it failed with the weight of an error, or could not be found out.</summary>
    public bool Blocks => State == CheckState.Error || (State == CheckState.Fail && Severity == Severity.Error);
}
