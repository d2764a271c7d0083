using System.Globalization;
using System.Numerics;
using System.Text;

namespace CdcMigrator.Reconciliation.Reading.Keys;

/// <summary>Numbers as PostgreSQL prints them.</summary>
internal static class NumberText
{
    /// <summary>More digits behind the point than any declared scale allows are what Debezium makes of a negative one.</summary>
    private const int LargestScale = 1000;

    /// <summary>A numeric from decimal text, whose scale is the value's own.</summary>
    public static string? OfDecimal(ReadOnlySpan<byte> text)
    {
        if (text.SequenceEqual("NAN"u8) || text.SequenceEqual("NaN"u8))
        {
            return "NaN";
        }

        if (text.SequenceEqual("POSITIVE_INFINITY"u8) || text.SequenceEqual("NEGATIVE_INFINITY"u8))
        {
            return text[0] == 'N' ? "-Infinity" : "Infinity";
        }

        var digits = !text.IsEmpty && text[0] == '-' ? text[1..] : text;
        var point = digits.IndexOf((byte)'.');
        var whole = point < 0 ? digits : digits[..point];
        var fraction = point < 0 ? default : digits[(point + 1)..];
        return whole.IsEmpty || whole.ContainsAnyExceptInRange((byte)'0', (byte)'9') || fraction.ContainsAnyExceptInRange((byte)'0', (byte)'9')
            || (point >= 0 && fraction.IsEmpty) || fraction.Length > LargestScale
            ? null
            : Encoding.ASCII.GetString(text);
    }

    /// <summary>A numeric of a declared scale from the big-endian bytes of its unscaled value.</summary>
    public static string? OfUnscaled(ReadOnlySpan<byte> bytes, int scale)
    {
        if (bytes.IsEmpty || scale is < 0 or > LargestScale)
        {
            return null;
        }

        var unscaled = new BigInteger(bytes, isUnsigned: false, isBigEndian: true);
        var digits = BigInteger.Abs(unscaled).ToString(CultureInfo.InvariantCulture).PadLeft(scale + 1, '0');
        return string.Concat(unscaled.Sign < 0 ? "-" : "", digits.AsSpan(0, digits.Length - scale), scale == 0 ? "" : ".", digits.AsSpan(digits.Length - scale));
    }

    /// <summary>A numeric of a declared precision and scale from a double, which holds fifteen digits.</summary>
    public static string? OfDouble(double value, int precision, int scale)
    {
        if (precision is < 1 or > 15 || scale < 0 || scale > precision || !double.IsFinite(value) || Math.Abs(value) >= 1e15)
        {
            return null;
        }

        var exact = (decimal)value;
        var rounded = Math.Round(exact, scale);
        return exact == rounded ? rounded.ToString($"F{scale}", CultureInfo.InvariantCulture) is var text && rounded == 0 ? text.TrimStart('-') : text : null;
    }

    /// <summary>A double, the shortest digits that read back as it.</summary>
    public static string OfDouble(double value) => Shortest(value.ToString("R", CultureInfo.InvariantCulture), 15);

    /// <summary>A float, likewise.</summary>
    public static string OfFloat(float value) => Shortest(value.ToString("R", CultureInfo.InvariantCulture), 6);

    /// <summary>Lays digits out as PostgreSQL does: with an exponent below 1e-4 and from 1e15 (1e6 for a float) on.</summary>
    private static string Shortest(string text, int plainDigits)
    {
        if (text is "NaN" or "Infinity" or "-Infinity")
        {
            return text;
        }

        var negative = text[0] == '-';
        var mantissa = negative ? text[1..] : text;
        var exponent = 0;
        if (mantissa.IndexOf('E', StringComparison.Ordinal) is var e and >= 0)
        {
            exponent = int.Parse(mantissa.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
            mantissa = mantissa[..e];
        }

        var point = mantissa.IndexOf('.', StringComparison.Ordinal);
        var whole = point < 0 ? mantissa.Length : point;
        var digits = mantissa.Replace(".", "", StringComparison.Ordinal);
        var leading = digits.Length - digits.TrimStart('0').Length;
        digits = digits.Trim('0');
        if (digits.Length == 0)
        {
            return negative ? "-0" : "0";
        }

        // The power of ten of the first digit.
        var power = whole - 1 - leading + exponent;
        var sign = negative ? "-" : "";
        if (power < -4 || power >= plainDigits)
        {
            var fraction = digits.Length == 1 ? "" : "." + digits[1..];
            return string.Create(CultureInfo.InvariantCulture, $"{sign}{digits[0]}{fraction}e{(power < 0 ? '-' : '+')}{Math.Abs(power):00}");
        }

        return power < 0 ? $"{sign}0.{new string('0', -power - 1)}{digits}"
            : digits.Length <= power + 1 ? sign + digits.PadRight(power + 1, '0')
            : $"{sign}{digits[..(power + 1)]}.{digits[(power + 1)..]}";
    }
}
