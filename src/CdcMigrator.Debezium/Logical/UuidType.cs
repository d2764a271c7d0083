using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Debezium.Logical;

/// <summary>
/// uuid from MariaDB: its text with or without dashes, or the 16 bytes of a binary(16), base64 in JSON. The binlog drops zero bytes at the end of a
/// uuid, and Debezium puts them in front (observed: <c>123e4567-…-426614174000</c> becomes <c>00123e45-…-564266141740</c>), so what is
/// streamed with a zero byte in front may be either.
/// </summary>
internal sealed class UuidType(ColumnMapping mapping) : LogicalType
{
    public static readonly UuidType Instance = new(ColumnMapping.None);

    private const int Bytes = 16;
    private const int Base64Characters = 24;

    public override Outcome FromText(ReadOnlySpan<byte> utf8, ValueWriter writer) =>
        utf8.Length == Base64Characters ? FromBytes(writer.FromBase64(utf8), writer)
        : !writer.SnapshotRow && utf8.StartsWith("00"u8) ? Outcome.Unfaithful
        : TextType.Instance.FromText(utf8, writer);

    public override Outcome FromBytes(ReadOnlySpan<byte> bytes, ValueWriter writer)
    {
        if (bytes.Length != Bytes)
        {
            throw new FormatException($"{bytes.Length} bytes are no uuid");
        }

        Span<byte> ordered = stackalloc byte[Bytes];
        bytes.CopyTo(ordered);
        mapping.ToUuidOrder(ordered);
        writer.WriteHex(ordered);
        return Outcome.Value;
    }
}
