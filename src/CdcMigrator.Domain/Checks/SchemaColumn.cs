namespace CdcMigrator.Domain.Checks;

/// <summary>A column as a catalog has it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type as declared.</param>
/// <param name="NotNull">No NULL may be in it.</param>
public sealed record SchemaColumn(string Name, string Type, bool NotNull)
{
    /// <summary>Its default as an expression; null where it has none.</summary>
    public string? Default { get; init; }

    /// <summary><c>always</c> or <c>by default</c>; empty where it is no identity.</summary>
    public string Identity { get; init; } = "";

    /// <summary>The expression it is computed by; null where it is not.</summary>
    public string? Generated { get; init; }

    /// <summary>Its collation, where it is not the database's.</summary>
    public string? Collation { get; init; }
}
