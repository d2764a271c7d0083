namespace CdcMigrator.Debezium;

/// <summary>Debezium's <c>binary.handling.mode</c>.</summary>
public enum BinaryHandlingMode
{
    /// <summary>Bytes (base64 in JSON). Debezium's default.</summary>
    Bytes,

    /// <summary>Base64 text.</summary>
    Base64,

    /// <summary>Base64 text in the alphabet for URLs.</summary>
    Base64UrlSafe,

    /// <summary>Hexadecimal text.</summary>
    Hex,
}
