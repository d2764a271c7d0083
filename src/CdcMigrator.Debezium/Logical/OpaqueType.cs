namespace CdcMigrator.Debezium.Logical;

/// <summary>A type Debezium does not know (<c>include.unknown.datatypes</c>): its text form, as binary in the configured mode.</summary>
internal sealed class OpaqueType(BinaryHandlingMode mode) : LogicalType
{
    public override bool TextIsBase64 => mode == BinaryHandlingMode.Bytes;

    public override Outcome FromBytes(ReadOnlySpan<byte> bytes, ValueWriter writer) => TextType.Instance.FromText(bytes, writer);

    public override Outcome FromText(ReadOnlySpan<byte> utf8, ValueWriter writer) => writer.Placeholder.Is(utf8)
        ? Outcome.Unavailable
        : TextType.Instance.FromText(BinaryText.Decode(utf8, mode, writer), writer);
}
