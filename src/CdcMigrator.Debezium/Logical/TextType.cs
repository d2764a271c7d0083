namespace CdcMigrator.Debezium.Logical;

/// <summary>A type whose text form is carried as it is: text, uuid, json, ranges, enums, network types, …</summary>
internal sealed class TextType : LogicalType
{
    public static readonly TextType Instance = new();

    public override Outcome FromText(ReadOnlySpan<byte> utf8, ValueWriter writer)
    {
        if (writer.Placeholder.Is(utf8) || (writer.InArray && writer.Placeholder.IsUuid(utf8)))
        {
            return Outcome.Unavailable;
        }

        writer.WriteText(utf8);
        return Outcome.Value;
    }

    public override Outcome FromInteger(long value, ValueWriter writer)
    {
        writer.WriteInteger(value);
        return Outcome.Value;
    }

    public override Outcome FromNumber(ReadOnlySpan<byte> literal, ValueWriter writer)
    {
        writer.Write(literal);
        return Outcome.Value;
    }

    public override Outcome FromBoolean(bool value, ValueWriter writer)
    {
        writer.Write(value ? "true"u8 : "false"u8);
        return Outcome.Value;
    }

    /// <summary>A type Debezium does not know: the bytes of its text form.</summary>
    public override Outcome FromBytes(ReadOnlySpan<byte> bytes, ValueWriter writer) => FromText(bytes, writer);
}
