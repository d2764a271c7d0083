namespace CdcMigrator.Domain.Comparing;

/// <summary>In which form a column's values are compared, so that what means the same on both sides is the same text.</summary>
public enum CanonicalForm
{
    /// <summary>As the type prints itself: both sides have the same type, or types that print alike.</summary>
    Text,

    /// <summary>A number without trailing zeros behind the point: declared scales differ.</summary>
    TrimmedNumber,

    /// <summary>As jsonb prints it: one side is json, or keeps the text as it came.</summary>
    Json,

    /// <summary>As a double: one side is narrower.</summary>
    Double,

    /// <summary>Without padding: one side is character(n), which pads with blanks.</summary>
    Unpadded,

    /// <summary>As a timestamp in UTC: one side has no time zone, or no time of day.</summary>
    Utc,

    /// <summary>Hexadecimal digits in lower case without hyphens: a uuid, well-known binary.</summary>
    Hex,

    /// <summary>An array with every element quoted.</summary>
    Array,

    /// <summary>A point as two doubles.</summary>
    Point,
}
