namespace CdcMigrator.Postgres.Comparing;

/// <summary>A column as one side's catalog has it.</summary>
/// <param name="Number">Its <c>attnum</c>.</param>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type.</param>
/// <param name="Declared">Its type as declared, for messages.</param>
internal sealed record SideColumn(short Number, string Name, SideType Type, string Declared)
{
    /// <summary>No row holds NULL: declared NOT NULL, by a constraint that was validated.</summary>
    public bool NotNull { get; init; }

    /// <summary>Computed from others, stored or virtual.</summary>
    public bool Generated { get; init; }

    /// <summary>How its text is sorted; null for types without a collation.</summary>
    public SideCollation? Collation { get; init; }

    /// <summary>Equality of its default index, schema-qualified.</summary>
    public string Equality { get; init; } = "=";
}
