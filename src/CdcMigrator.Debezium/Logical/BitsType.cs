namespace CdcMigrator.Debezium.Logical;

/// <summary>bit(n) as <c>io.debezium.data.Bits</c>: little-endian bytes without trailing zero bytes, so that the declared length is needed.</summary>
internal sealed class BitsType(int length) : LogicalType
{
    public override bool TextIsBase64 => true;

    public override Outcome FromBytes(ReadOnlySpan<byte> bytes, ValueWriter writer)
    {
        if (writer.Placeholder.Is(bytes))
        {
            return Outcome.Unavailable;
        }

        var span = writer.Output.GetSpan(length)[..length];
        for (var i = 0; i < length; i++)
        {
            var bit = length - 1 - i;
            span[i] = bit >> 3 < bytes.Length && ((bytes[bit >> 3] >> (bit & 7)) & 1) != 0 ? (byte)'1' : (byte)'0';
        }

        for (var bit = length; bit < bytes.Length * 8; bit++)
        {
            if (((bytes[bit >> 3] >> (bit & 7)) & 1) != 0)
            {
                throw new FormatException($"the value has more than {length} bits");
            }
        }

        writer.Output.Advance(length);
        return Outcome.Value;
    }
}
