namespace CdcMigrator.Debezium.Logical;

/// <summary>bit(1), which Debezium writes as a boolean.</summary>
internal sealed class SingleBitType : LogicalType
{
    public static readonly SingleBitType Instance = new();

    public override Outcome FromBoolean(bool value, ValueWriter writer)
    {
        writer.Write(value ? '1' : '0');
        return Outcome.Value;
    }
}
