namespace CdcMigrator.Debezium.Logical;

/// <summary>Decimal numbers in text: <c>-12.30</c>, with Debezium's names for the special values.</summary>
internal static class NumericText
{
    /// <summary>Sign, digits, at most one point; no exponent.</summary>
    public static bool IsPlain(ReadOnlySpan<byte> text)
    {
        var digits = text.Length > 0 && text[0] is (byte)'-' or (byte)'+' ? text[1..] : text;
        var point = digits.IndexOf((byte)'.');
        var whole = point < 0 ? digits : digits[..point];
        var fraction = point < 0 ? default : digits[(point + 1)..];
        return whole.Length + fraction.Length > 0
            && !whole.ContainsAnyExceptInRange((byte)'0', (byte)'9')
            && !fraction.ContainsAnyExceptInRange((byte)'0', (byte)'9');
    }

    /// <summary>PostgreSQL's spelling of NaN and the infinities; empty when the text is none of them.</summary>
    public static ReadOnlySpan<byte> Special(ReadOnlySpan<byte> text) =>
        text.SequenceEqual("NAN"u8) || text.SequenceEqual("NaN"u8) ? "NaN"u8
        : text.SequenceEqual("POSITIVE_INFINITY"u8) || text.SequenceEqual("Infinity"u8) ? "Infinity"u8
        : text.SequenceEqual("NEGATIVE_INFINITY"u8) || text.SequenceEqual("-Infinity"u8) ? "-Infinity"u8
        : default;
}
