namespace CdcMigrator.Debezium.Logical;

/// <summary>MariaDB's tinyint(1) as its own SQL takes it: any number but 0 is true.</summary>
internal sealed class NonZeroType : LogicalType
{
    public static readonly NonZeroType Instance = new();

    public override Outcome FromBoolean(bool value, ValueWriter writer) => BooleanType.Instance.FromBoolean(value, writer);

    public override Outcome FromInteger(long value, ValueWriter writer) => BooleanType.Instance.FromBoolean(value != 0, writer);
}
