namespace CdcMigrator.Domain.Comparing;

/// <summary>A column both sides have.</summary>
/// <param name="Source">Name in the source.</param>
/// <param name="Target">Name in the target.</param>
/// <param name="Form">How its values are compared.</param>
public sealed record ComparedColumn(string Source, string Target, CanonicalForm Form)
{
    /// <summary>Its text may hold anything, the separator of a canonical row included, so that its length is part of the row.</summary>
    public bool IsFreeText { get; init; }

    /// <summary>May be NULL on one side at least.</summary>
    public bool IsNullable { get; init; } = true;

    /// <summary>Type in the source as SQL spells it, to which a key's text is cast.</summary>
    public string SourceType { get; init; } = "text";

    /// <summary>
    /// Type in the source as it is declared: with its modifier and domains resolved, as <c>format_type</c> prints it (<c>numeric(12,2)</c>, <c>timestamp(3) without time
    /// zone</c>, MariaDB's <c>column_type</c>), or <c>enum</c> for any of PostgreSQL's enums. What a key's encoding in events means is told by it; null where it is not
    /// known: then <see cref="SourceType"/> takes its place, and keys that need the modifier are not told.
    /// </summary>
    public string? SourceDeclaration { get; init; }

    /// <summary>Type in the target as SQL spells it, to which a key's text is cast.</summary>
    public string TargetType { get; init; } = "text";

    /// <summary>Operator of a key column's index in the source, by which a row is found.</summary>
    public string SourceEquality { get; init; } = "=";

    /// <summary>Operator of a key column's index in the target, by which a row is found.</summary>
    public string TargetEquality { get; init; } = "=";

    /// <summary>What the migration file makes of its values, in words that differ wherever values may: findings made under other words count no more.</summary>
    public string Mapped { get; init; } = "";
}
