namespace CdcMigrator.Debezium.Logical;

/// <summary>bytea as bytes, or as text in one of the other binary modes; of MariaDB's geometry the well-known binary.</summary>
internal sealed class BytesType(BinaryHandlingMode mode) : LogicalType
{
    private static readonly StructMember[] Wkb = [new("wkb", IsBytes: true)];

    public override StructMember[] Members => Wkb;

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

    public override Outcome FromStruct(StructCells cells, ValueWriter writer)
    {
        if (!cells.Has(0))
        {
            throw new FormatException("a geometry without well-known binary");
        }

        writer.Write("\\x"u8);
        writer.WriteHex(cells[0]);
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
