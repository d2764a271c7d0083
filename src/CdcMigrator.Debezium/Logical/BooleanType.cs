namespace CdcMigrator.Debezium.Logical;

/// <summary>boolean, and MariaDB's tinyint(1), which comes as a number or a boolean.</summary>
internal sealed class BooleanType : LogicalType
{
    public static readonly BooleanType Instance = new();

    public override Outcome FromBoolean(bool value, ValueWriter writer)
    {
        writer.Write(value ? 't' : 'f');
        return Outcome.Value;
    }

    public override Outcome FromInteger(long value, ValueWriter writer) => value is 0 or 1
        ? FromBoolean(value == 1, writer)
        : throw new RefusedValueException("not-boolean", $"{value} is no boolean", "nonBoolean: true");
}
