namespace CdcMigrator.Reconciliation.Reading;

/// <summary>Debezium's <c>binary.handling.mode</c>.</summary>
public enum BinaryEncoding
{
    /// <summary>A mode that is not known here: no key with bytes is told.</summary>
    Unknown,

    /// <summary>Bytes; base64 in JSON.</summary>
    Bytes,

    /// <summary>A string of base64.</summary>
    Base64,

    /// <summary>A string of base64 with the alphabet for URLs.</summary>
    Base64Url,

    /// <summary>A string of hexadecimal digits.</summary>
    Hex,
}
