namespace CdcMigrator.Debezium.Logical;

/// <summary>An array of one dimension.</summary>
internal sealed class ArrayType(LogicalType element) : LogicalType
{
    public override LogicalType Element => element;
}
