namespace CdcMigrator.Domain.Tables;

/// <summary>How an application stores a uuid in a <c>binary(16)</c>, named as MySqlConnector's <c>GuidFormat</c> names it.</summary>
public enum UuidFormat
{
    /// <summary>In the order of its text.</summary>
    Binary16,

    /// <summary>Time parts swapped, as MySQL's <c>uuid_to_bin(…, 1)</c> writes it.</summary>
    TimeSwapBinary16,

    /// <summary>The first three parts little-endian, as .NET's <c>Guid.ToByteArray()</c> writes it.</summary>
    LittleEndianBinary16,
}
