using System.Buffers.Text;

namespace CdcMigrator.Debezium.Logical;

/// <summary>
/// money as text or decimal bytes. A snapshot takes it through a double (observed: <c>-9.223372036854776E16</c>, and <c>1.1</c> for 1.10), so
/// what exceeds 2^53 units there cannot be trusted.
/// </summary>
internal sealed class MoneyType(int scale) : LogicalType
{
    private const decimal MostUnits = 1L << 53;

    public override bool TextIsBase64 => scale >= 0;

    public override Outcome FromText(ReadOnlySpan<byte> utf8, ValueWriter writer)
    {
        if (writer.Placeholder.Is(utf8))
        {
            return Outcome.Unavailable;
        }

        return FromNumber(utf8, writer);
    }

    public override Outcome FromNumber(ReadOnlySpan<byte> literal, ValueWriter writer)
    {
        var plain = NumericText.IsPlain(literal);
        if (writer.SnapshotRow && (!plain || IsLarge(literal)))
        {
            return Outcome.Unfaithful;
        }

        if (!plain)
        {
            throw Malformed("an amount of money", literal);
        }

        writer.Write(literal);
        return Outcome.Value;
    }

    public override Outcome FromBytes(ReadOnlySpan<byte> bytes, ValueWriter writer)
    {
        // 2^53 needs seven bytes; eight in front of that are large whatever the scale.
        if (writer.SnapshotRow && bytes.Length > 6)
        {
            return Outcome.Unfaithful;
        }

        DecimalText.Write(bytes, scale, writer);
        return Outcome.Value;
    }

    private static bool IsLarge(ReadOnlySpan<byte> literal) =>
        !Utf8Parser.TryParse(literal, out decimal amount, out var consumed) || consumed != literal.Length
        || Math.Abs(amount) > MostUnits / 100;
}
