namespace CdcMigrator.Debezium.Logical;

/// <summary>uuid from MariaDB: its text with or without dashes, or the 16 bytes of a binary(16), base64 in JSON.</summary>
internal sealed class UuidType : LogicalType
{
    public static readonly UuidType Instance = new();

    private const int Bytes = 16;
    private const int Base64Characters = 24;

    public override Outcome FromText(ReadOnlySpan<byte> utf8, ValueWriter writer) =>
        utf8.Length == Base64Characters ? FromBytes(writer.FromBase64(utf8), writer) : TextType.Instance.FromText(utf8, writer);

    public override Outcome FromBytes(ReadOnlySpan<byte> bytes, ValueWriter writer)
    {
        if (bytes.Length != Bytes)
        {
            throw new FormatException($"{bytes.Length} bytes are no uuid");
        }

        writer.WriteHex(bytes);
        return Outcome.Value;
    }
}
