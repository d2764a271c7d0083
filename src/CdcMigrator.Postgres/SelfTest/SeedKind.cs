namespace CdcMigrator.Postgres.SelfTest;

/// <summary>Kinds of wrong rows, each of which some way of comparing is known to miss.</summary>
public enum SeedKind
{
    /// <summary>One byte of a value is another.</summary>
    Byte,

    /// <summary>Two rows have each other's value of a column, so that sums of columns stay the same.</summary>
    Swap,

    /// <summary>NULL in place of the empty text, or the other way round.</summary>
    NullOrEmpty,

    /// <summary>NULL in place of zero, or the other way round.</summary>
    NullOrZero,

    /// <summary>A row is missing.</summary>
    Deleted,

    /// <summary>A row is there that the source has not.</summary>
    Inserted,

    /// <summary>A thousand rows changed alike, so that an even number of equal differences could cancel out.</summary>
    SameDelta,

    /// <summary>A blank more at the end of a text.</summary>
    TrailingBlank,

    /// <summary>A time is a microsecond off.</summary>
    Microsecond,

    /// <summary>-0 in place of 0, which are equal as numbers.</summary>
    NegativeZero,

    /// <summary>1.0 in place of 1 in JSON, which are equal as numbers.</summary>
    JsonNumber,
}
