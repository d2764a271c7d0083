namespace CdcMigrator.Reconciliation.Reading.Keys;

/// <summary>How a record spelled a key's value.</summary>
internal enum KeyValueKind
{
    /// <summary>None, NULL, or something no key is made of.</summary>
    None,

    /// <summary>A number's digits.</summary>
    Digits,

    /// <summary>A whole number.</summary>
    Integer,

    /// <summary>A float.</summary>
    Float,

    /// <summary>A double.</summary>
    Double,

    /// <summary>A boolean.</summary>
    Boolean,

    /// <summary>A string.</summary>
    Text,

    /// <summary>Bytes.</summary>
    Bytes,
}
