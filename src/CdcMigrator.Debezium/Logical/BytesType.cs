namespace CdcMigrator.Debezium.Logical;

/// <summary>bytea as bytes, or as text in one of the other binary modes.</summary>
internal sealed class BytesType(BinaryHandlingMode mode) : LogicalType
{
    public override bool TextIsBase64 => mode == BinaryHandlingMode.Bytes;

    public override Outcome FromBytes(ReadOnlySpan<byte> bytes, ValueWriter writer)
    {
        if (writer.Placeholder.Is(bytes))
        {
            return Outcome.Unavailable;
        }

        writer.Write("\\x"u8);
        writer.WriteHex(bytes);
        return Outcome.Value;
    }

    public override Outcome FromText(ReadOnlySpan<byte> utf8, ValueWriter writer)
    {
        if (writer.Placeholder.Is(utf8))
        {
            return Outcome.Unavailable;
        }

        return FromBytes(BinaryText.Decode(utf8, mode, writer), writer);
    }
}
