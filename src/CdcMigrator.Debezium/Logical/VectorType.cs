namespace CdcMigrator.Debezium.Logical;

/// <summary>pgvector's vector and halfvec, which come as arrays of floats and are written <c>[1,2,3]</c>.</summary>
internal sealed class VectorType : LogicalType
{
    public static readonly VectorType Instance = new();

    public override LogicalType Element => FloatType.Instance;

    public override string Brackets => "[]";
}
