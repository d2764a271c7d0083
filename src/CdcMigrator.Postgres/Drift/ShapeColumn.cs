namespace CdcMigrator.Postgres.Drift;

/// <summary>A column of a <see cref="TableShape"/>.</summary>
/// <param name="Number">Attribute number: stays through a rename, and is never used again.</param>
/// <param name="Name">Name.</param>
/// <param name="Declared">Type as declared, types outside pg_catalog with their schema.</param>
/// <param name="InKey">Part of the primary key.</param>
public sealed record ShapeColumn(short Number, string Name, string Declared, bool InKey)
{
    /// <summary>NOT NULL.</summary>
    public bool NotNull { get; init; }

    /// <summary>Default or generation expression; null where there is none.</summary>
    public string? Default { get; init; }

    /// <summary>GENERATED ALWAYS AS (…) STORED.</summary>
    public bool Generated { get; init; }

    /// <summary>An identity column.</summary>
    public bool Identity { get; init; }

    /// <summary>Rows that were there before the column read its default from the catalog. A default without it was written into them, value by value.</summary>
    public bool FilledByCatalog { get; init; }
}
