namespace CdcMigrator.Debezium.Logical;

/// <summary>
/// numeric as text (<c>decimal.handling.mode=string</c>) or as a JSON number (Connect's <c>decimal.format=NUMERIC</c>), and what schemaless
/// JSON makes of the precise mode: an object with scale and value, or bytes whose scale nobody says.
/// </summary>
internal sealed class NumericType(bool unsignedBigintIsBase64) : LogicalType
{
    public override StructMember[]? Members => VariableScaleType.Instance.Members;

    public override Outcome FromText(ReadOnlySpan<byte> utf8, ValueWriter writer)
    {
        if (NumericText.IsPlain(utf8))
        {
            writer.Write(utf8);
            return Outcome.Value;
        }

        if (NumericText.Special(utf8) is { Length: > 0 } special)
        {
            writer.Write(special);
            return Outcome.Value;
        }

        if (writer.Placeholder.Is(utf8))
        {
            return Outcome.Unavailable;
        }

        // A MariaDB bigint unsigned is never negative, so its base64 begins with a letter and is no plain number.
        var unscaled = writer.FromBase64(utf8);
        if (!unsignedBigintIsBase64 || unscaled.Length > 9)
        {
            return Outcome.Unfaithful;
        }

        DecimalText.Write(unscaled, 0, writer);
        return Outcome.Value;
    }

    public override Outcome FromNumber(ReadOnlySpan<byte> literal, ValueWriter writer)
    {
        writer.Write(literal);
        return Outcome.Value;
    }

    public override Outcome FromInteger(long value, ValueWriter writer)
    {
        writer.WriteInteger(value);
        return Outcome.Value;
    }

    public override Outcome FromStruct(StructCells cells, ValueWriter writer) => VariableScaleType.Instance.FromStruct(cells, writer);
}
