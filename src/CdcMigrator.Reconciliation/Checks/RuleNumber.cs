using System.Globalization;
using System.Numerics;

namespace CdcMigrator.Reconciliation.Checks;

/// <summary>A decimal number of any size, as text has it: what databases sum has more digits than <see cref="decimal"/> holds.</summary>
/// <param name="Digits">Its digits as a whole number.</param>
/// <param name="Scale">How many of them stand behind the point.</param>
public readonly record struct RuleNumber(BigInteger Digits, int Scale)
{
    private const int MostExponent = 1_000;

    /// <summary>Reads <c>-12.50</c> or <c>1.5e-3</c>; null for anything else, NaN and infinity included.</summary>
    public static RuleNumber? Of(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        var at = text.IndexOfAny(['e', 'E']);
        var exponent = 0;
        if (at >= 0 && (!int.TryParse(text.AsSpan(at + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent) || Math.Abs(exponent) > MostExponent))
        {
            return null;
        }

        var number = at < 0 ? text : text[..at];
        var point = number.IndexOf('.', StringComparison.Ordinal);
        var digits = point < 0 ? number : number.Remove(point, 1);
        if (!BigInteger.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole))
        {
            return null;
        }

        var scale = (point < 0 ? 0 : number.Length - point - 1) - exponent;
        return scale >= 0 ? new RuleNumber(whole, scale) : new RuleNumber(whole * BigInteger.Pow(10, -scale), 0);
    }

    /// <summary>How far it is from another, never negative.</summary>
    public RuleNumber DistanceTo(RuleNumber other)
    {
        var scale = Math.Max(Scale, other.Scale);
        return new RuleNumber(BigInteger.Abs(At(scale) - other.At(scale)), scale);
    }

    /// <summary>Whether it is at most another.</summary>
    public bool IsAtMost(RuleNumber other) => At(Math.Max(Scale, other.Scale)) <= other.At(Math.Max(Scale, other.Scale));

    /// <inheritdoc />
    public override string ToString()
    {
        var text = BigInteger.Abs(Digits).ToString(CultureInfo.InvariantCulture).PadLeft(Scale + 1, '0');
        var number = Scale == 0 ? text : $"{text[..^Scale]}.{text[^Scale..]}".TrimEnd('0').TrimEnd('.');
        return Digits.Sign < 0 ? $"-{number}" : number;
    }

    private BigInteger At(int scale) => Digits * BigInteger.Pow(10, scale - Scale);
}
