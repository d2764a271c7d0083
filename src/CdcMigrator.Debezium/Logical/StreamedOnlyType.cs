namespace CdcMigrator.Debezium.Logical;

/// <summary>MariaDB's float: a snapshot reads six digits of it, the stream all (observed).</summary>
internal sealed class StreamedOnlyType : LogicalType
{
    public static readonly StreamedOnlyType Float = new();

    public override Outcome FromNumber(ReadOnlySpan<byte> literal, ValueWriter writer) =>
        writer.SnapshotRow ? Outcome.Unfaithful : FloatType.Instance.FromNumber(literal, writer);

    public override Outcome FromSingle(float value, ValueWriter writer) =>
        writer.SnapshotRow ? Outcome.Unfaithful : FloatType.Instance.FromSingle(value, writer);

    public override Outcome FromDouble(double value, ValueWriter writer) =>
        writer.SnapshotRow ? Outcome.Unfaithful : FloatType.Instance.FromDouble(value, writer);
}
