namespace CdcMigrator.Debezium.Logical;

/// <summary>Writes hstore's text an entry at a time: <c>"a"=>"1", "b"=>NULL</c>.</summary>
internal static class HstoreText
{
    /// <summary>Writes one entry. <paramref name="first"/> is cleared by it.</summary>
    public static void Key(ReadOnlySpan<byte> key, ref bool first, ValueWriter writer)
    {
        if (!first)
        {
            writer.Write(", "u8);
        }

        first = false;
        Quoted(key, writer);
        writer.Write("=>"u8);
    }

    /// <summary>Writes an entry's value.</summary>
    public static void Value(ReadOnlySpan<byte> value, ValueWriter writer) => Quoted(value, writer);

    /// <summary>Writes an entry's absent value.</summary>
    public static void NullValue(ValueWriter writer) => writer.Write("NULL"u8);

    private static void Quoted(ReadOnlySpan<byte> text, ValueWriter writer)
    {
        writer.Write('"');
        while (text.IndexOfAny((byte)'"', (byte)'\\') is var at and >= 0)
        {
            writer.WriteText(text[..at]);
            writer.Write('\\');
            writer.Write((char)text[at]);
            text = text[(at + 1)..];
        }

        writer.WriteText(text);
        writer.Write('"');
    }
}
