namespace CdcMigrator.Debezium.Logical;

/// <summary><c>org.apache.kafka.connect.data.Decimal</c>: unscaled bytes, the scale in the schema.</summary>
internal sealed class DecimalType(int scale) : LogicalType
{
    public override bool TextIsBase64 => true;

    public override Outcome FromBytes(ReadOnlySpan<byte> bytes, ValueWriter writer)
    {
        DecimalText.Write(bytes, scale, writer);
        return Outcome.Value;
    }

    /// <summary>Connect's <c>decimal.format=NUMERIC</c>.</summary>
    public override Outcome FromNumber(ReadOnlySpan<byte> literal, ValueWriter writer)
    {
        writer.Write(literal);
        return Outcome.Value;
    }
}
