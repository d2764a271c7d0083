namespace CdcMigrator.Debezium.Logical;

/// <summary>smallint to bigint, oid, year.</summary>
internal sealed class IntegerType : LogicalType
{
    public static readonly IntegerType Instance = new();

    public override Outcome FromInteger(long value, ValueWriter writer)
    {
        writer.WriteInteger(value);
        return Outcome.Value;
    }

    public override Outcome FromNumber(ReadOnlySpan<byte> literal, ValueWriter writer)
    {
        if (literal.ContainsAny(".eE"u8))
        {
            throw Malformed("an integer", literal);
        }

        writer.Write(literal);
        return Outcome.Value;
    }

    public override Outcome FromText(ReadOnlySpan<byte> utf8, ValueWriter writer) =>
        NumericText.IsPlain(utf8) && !utf8.Contains((byte)'.') ? FromNumber(utf8, writer) : throw Malformed("an integer", utf8);

    public override Outcome FromBoolean(bool value, ValueWriter writer) => FromInteger(value ? 1 : 0, writer);
}
