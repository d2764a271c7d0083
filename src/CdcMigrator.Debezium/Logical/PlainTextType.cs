namespace CdcMigrator.Debezium.Logical;

/// <summary>The embedded log: every value is PostgreSQL's own text, an empty array is unavailable, and no text is a placeholder.</summary>
internal sealed class PlainTextType : LogicalType
{
    public static readonly PlainTextType Instance = new();

    public override bool EmptyArrayIsUnavailable => true;

    public override Outcome FromText(ReadOnlySpan<byte> utf8, ValueWriter writer)
    {
        writer.WriteText(utf8);
        return Outcome.Value;
    }
}
