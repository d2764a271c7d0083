using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Domain.Checks;

/// <summary>A constraint of the target that rows may break while they are applied, and those that do.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Table">Source table of the migration whose rows it is for.</param>
public sealed record ConstraintFact(string Name, ConstraintKind Kind, TableName Table)
{
    /// <summary>Source table a foreign key refers to; null where that is not one of the migration.</summary>
    public TableName? Parent { get; init; }

    /// <summary>Whether <see cref="Violation.Parent"/> is told.</summary>
    public bool TellsParent { get; init; }

    /// <summary>The catalog says that all rows hold to it, whatever is so.</summary>
    public bool IsValidated { get; init; } = true;

    /// <summary>Rows that break it, at most <see cref="MostViolations"/>.</summary>
    public IReadOnlyList<Violation> Violations { get; init; } = [];

    /// <summary>More rows break it than are told.</summary>
    public bool HasMore { get; init; }

    /// <summary>Why it could not be checked; null where it was.</summary>
    public string? Fault { get; init; }

    /// <summary>Most rows that are told.</summary>
    public const int MostViolations = 1_000;
}
