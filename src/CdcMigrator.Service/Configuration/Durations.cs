using System.Globalization;

namespace CdcMigrator.Service.Configuration;

/// <summary>Durations as users write them: <c>200ms</c>, <c>5s</c>, <c>1.5m</c>, <c>24h</c>, <c>14d</c>. A unit is required, except for 0.</summary>
public static class Durations
{
    /// <summary>What a duration looks like, for messages.</summary>
    public const string Form = "a duration like 200ms, 5s, 10m, 24h or 14d";

    private static readonly (string Unit, double Milliseconds)[] Units =
    [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ];

    /// <summary>Reads a duration; false where the text is none, is negative or exceeds 10,000 days.</summary>
    public static bool TryParse(string? text, out TimeSpan value)
    {
        value = TimeSpan.Zero;
        var trimmed = text?.Trim() ?? "";
        if (trimmed == "0")
        {
            return true;
        }

        var digits = trimmed.TakeWhile(c => char.IsAsciiDigit(c) || c == '.').Count();
        var unit = trimmed[digits..].Trim();
        var factor = Units.FirstOrDefault(known => known.Unit == unit).Milliseconds;
        if (factor == 0
            || !double.TryParse(trimmed.AsSpan(0, digits), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            || number * factor > TimeSpan.FromDays(10_000).TotalMilliseconds)
        {
            return false;
        }

        value = TimeSpan.FromMilliseconds(number * factor);
        return true;
    }

    /// <summary>Writes a duration in the largest unit that divides it.</summary>
    public static string Format(TimeSpan value)
    {
        var milliseconds = (long)value.TotalMilliseconds;
        if (milliseconds == 0)
        {
            return "0s";
        }

        var (unit, factor) = Units.Last(known => milliseconds % (long)known.Milliseconds == 0 && (known.Unit != "d" || milliseconds > (long)known.Milliseconds));
        return string.Create(CultureInfo.InvariantCulture, $"{milliseconds / (long)factor}{unit}");
    }
}
