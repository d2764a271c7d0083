namespace CdcMigrator.Domain.Checks;

/// <summary>A primary key, a unique constraint or a unique index.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Columns">Columns, or expressions as the catalog prints them, in index order.</param>
/// <param name="IsPrimary">It is the primary key.</param>
public sealed record SchemaKey(string Name, IReadOnlyList<string> Columns, bool IsPrimary)
{
    /// <summary>It is complete and used.</summary>
    public bool IsValid { get; init; } = true;

    /// <summary>It is checked with each row, not at the end of the transaction.</summary>
    public bool IsImmediate { get; init; } = true;

    /// <summary>NULLs are equal to each other.</summary>
    public bool NullsNotDistinct { get; init; }

    /// <summary>Rows it is for, as an expression; null for all.</summary>
    public string? Predicate { get; init; }
}
