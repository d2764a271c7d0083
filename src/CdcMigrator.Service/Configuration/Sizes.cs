using System.Globalization;

namespace CdcMigrator.Service.Configuration;

/// <summary>Sizes in bytes as users write them: <c>512KiB</c>, <c>16MiB</c>, <c>1GiB</c>, <c>10MB</c>, or a plain number of bytes.</summary>
public static class Sizes
{
    /// <summary>What a size looks like, for messages.</summary>
    public const string Form = "a size like 512KiB, 16MiB or 1GiB";

    private static readonly (string Unit, long Bytes)[] Units =
    [
        ("", 1), ("B", 1), ("KB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30),
    ];

    /// <summary>Reads a size; false where the text is none.</summary>
    public static bool TryParse(string? text, out long bytes)
    {
        bytes = 0;
        var trimmed = text?.Trim() ?? "";
        var digits = trimmed.TakeWhile(char.IsAsciiDigit).Count();
        var unit = trimmed[digits..].Trim();
        var factor = Units.FirstOrDefault(known => known.Unit == unit).Bytes;
        if (factor == 0 || !long.TryParse(trimmed.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || number > long.MaxValue / factor)
        {
            return false;
        }

        bytes = number * factor;
        return true;
    }

    /// <summary>Writes a size in the largest binary unit that divides it.</summary>
    public static string Format(long bytes)
    {
        var (unit, factor) = Units.Where(known => known.Unit is "" or "KiB" or "MiB" or "GiB").Last(known => bytes % known.Bytes == 0 && bytes >= known.Bytes || known.Unit.Length == 0);
        return string.Create(CultureInfo.InvariantCulture, $"{bytes / factor}{unit}");
    }
}
