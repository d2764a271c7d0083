namespace CdcMigrator.Reconciliation.Reading;

/// <summary>Debezium's <c>decimal.handling.mode</c>.</summary>
public enum DecimalEncoding
{
    /// <summary>A mode that is not known here: no key with a numeric is told.</summary>
    Unknown,

    /// <summary>Big-endian bytes of the unscaled value.</summary>
    Precise,

    /// <summary>Decimal text.</summary>
    Text,

    /// <summary>A double, which holds fifteen digits.</summary>
    Double,
}
