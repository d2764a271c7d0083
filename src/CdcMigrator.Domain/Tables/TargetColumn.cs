namespace CdcMigrator.Domain.Tables;

/// <summary>A column of a target table, from the target's catalog.</summary>
/// <param name="Name">Name in the target.</param>
/// <param name="Type">Its type.</param>
public sealed record TargetColumn(string Name, ColumnType Type)
{
    /// <summary>Declared NOT NULL.</summary>
    public bool NotNull { get; init; }

    /// <summary>Generated from an expression: never written, and ignored where an event carries it (snapshot rows do).</summary>
    public bool Generated { get; init; }

    /// <summary>GENERATED ALWAYS AS IDENTITY: inserts need OVERRIDING SYSTEM VALUE.</summary>
    public bool IdentityAlways { get; init; }

    /// <summary>Has a default or is an identity.</summary>
    public bool HasDefault { get; init; }
}
