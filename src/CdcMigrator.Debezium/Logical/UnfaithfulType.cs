namespace CdcMigrator.Debezium.Logical;

/// <summary>A type no value of which is taken from the event. Its fields are not even looked at.</summary>
internal sealed class UnfaithfulType : LogicalType
{
    public static readonly UnfaithfulType Instance = new();

    public override bool IsUnfaithful => true;
}
