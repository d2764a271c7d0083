using System.Buffers.Text;
using System.Globalization;

namespace CdcMigrator.Reconciliation.Reading.Keys;

/// <summary>
/// Dates and times as PostgreSQL prints them with DateStyle ISO in UTC. Null where it is not certain what the source held: values beyond PostgreSQL's range, and in
/// rows that a snapshot read those of the old calendar, which Debezium shifts or takes the era from there.
/// </summary>
internal static class CalendarText
{
    private const long MicrosInDay = 86_400_000_000;

    /// <summary>4713-11-24 BC, the first day PostgreSQL has.</summary>
    private const long FirstDay = -2_440_588;

    /// <summary>5874897-12-31.</summary>
    private const long LastDay = 2_145_042_905;

    /// <summary>1582-10-25: Debezium's snapshots shift values up to ten days before the calendars met.</summary>
    private const long FirstNewDay = -141_417;

    /// <summary>What Debezium makes of PostgreSQL's infinities.</summary>
    private const long Infinity = 9_223_372_036_825_200_000;
    private const long MinusInfinity = -9_223_372_036_832_400_000;

    /// <summary>A date.</summary>
    public static string? OfDays(long days, bool isRead) => days switch
    {
        -2_147_472_692 when !isRead => "infinity",
        -2_147_472_691 when !isRead => "-infinity",
        -622_191_234 when isRead => "infinity",
        -625_821_272 when isRead => "-infinity",
        < FirstDay or > LastDay => null,
        _ when isRead && days < FirstNewDay => null,
        _ => Date(days, out var era) + era,
    };

    /// <summary>A time of day, in microseconds; 24:00 is one.</summary>
    public static string? OfTime(long micros) => micros is < 0 or > MicrosInDay ? null : Time(micros);

    /// <summary>A timestamp, in microseconds.</summary>
    public static string? OfStamp(long micros, bool isRead)
    {
        if (micros is Infinity or MinusInfinity)
        {
            return micros == Infinity ? "infinity" : "-infinity";
        }

        // Beyond the infinity's own stand-in values wrap around.
        var days = Math.DivRem(micros, MicrosInDay, out var time);
        (days, time) = time < 0 ? (days - 1, time + MicrosInDay) : (days, time);
        return micros > Infinity || days < FirstDay || (isRead && days < FirstNewDay) ? null : $"{Date(days, out var era)} {Time(time)}{era}";
    }

    /// <summary>A timestamp, in milliseconds: no infinity is known in these.</summary>
    public static string? OfStampMillis(long millis, bool isRead) => millis is <= MinusInfinity / 1000 or >= Infinity / 1000 ? null : OfStamp(millis * 1000, isRead);

    /// <summary>A timestamp that came in nanoseconds, which reach from 1677 to 2262 only; what lies outside has wrapped around, infinities too.</summary>
    public static string? OfStampNanos(long micros, bool isRead) => micros is < -9_000_000_000_000_000 or > 9_000_000_000_000_000 ? null : OfStamp(micros, isRead);

    /// <summary>
    /// ISO text, of which a part may be missing: <c>2024-02-29Z</c>, <c>12:34:56Z</c>, <c>2024-02-29T12:34:56.789Z</c>. Only UTC, and for all but zoned times only
    /// years of four digits and no midnight alone, for there infinities, BC and 24:00 are written as something else.
    /// </summary>
    public static string? OfIso(ReadOnlySpan<byte> text, MeaningKind kind, bool isRead)
    {
        var zoned = kind == MeaningKind.IsoZoned;
        if (zoned && (text.SequenceEqual("infinity"u8) || text.SequenceEqual("-infinity"u8)))
        {
            return text[0] == '-' ? "-infinity" : "infinity";
        }

        if (text.IsEmpty || text[^1] != 'Z')
        {
            return null;
        }

        text = text[..^1];
        long days = 0;
        if (kind != MeaningKind.IsoTime && (!TryDate(ref text, out days) || days > LastDay || days < FirstDay || (isRead && days < FirstNewDay) || (!zoned && days is < FirstNewDay or > 2_932_896)))
        {
            return null;
        }

        if (kind == MeaningKind.IsoDate)
        {
            return text.IsEmpty ? Date(days, out var era) + era : null;
        }

        if (kind != MeaningKind.IsoTime)
        {
            if (text.IsEmpty || text[0] != 'T')
            {
                return null;
            }

            text = text[1..];
        }

        if (!TryTime(text, out var micros) || (kind == MeaningKind.IsoTime && micros == 0))
        {
            return null;
        }

        return kind == MeaningKind.IsoTime ? Time(micros) : $"{Date(days, out var suffix)} {Time(micros)}{(zoned ? "+00" : "")}{suffix}";
    }

    private static bool TryDate(ref ReadOnlySpan<byte> text, out long days)
    {
        days = 0;
        var sign = !text.IsEmpty && text[0] is (byte)'-' or (byte)'+' ? text[0] : (byte)0;
        var rest = sign == 0 ? text : text[1..];
        var dash = rest.IndexOf((byte)'-');
        if (dash < 4 || rest.Length < dash + 6 || rest[dash + 3] != '-' || !TryDigits(rest[..dash], out var year)
            || !TryDigits(rest.Slice(dash + 1, 2), out var month) || !TryDigits(rest.Slice(dash + 4, 2), out var day) || month is < 1 or > 12 || day is < 1 or > 31)
        {
            return false;
        }

        days = DaysOf(sign == '-' ? -year : year, month, day);
        text = rest[(dash + 6)..];
        return true;
    }

    private static bool TryTime(ReadOnlySpan<byte> text, out long micros)
    {
        micros = 0;
        if (text.Length < 8 || text[2] != ':' || text[5] != ':' || !TryDigits(text[..2], out var hours) || !TryDigits(text.Slice(3, 2), out var minutes)
            || !TryDigits(text.Slice(6, 2), out var seconds) || hours > 24 || minutes > 59 || seconds > 59)
        {
            return false;
        }

        var fraction = text[8..];
        var fine = 0L;
        if (!fraction.IsEmpty)
        {
            if (fraction[0] != '.' || fraction.Length is < 2 or > 10 || !TryDigits(fraction[1..], out fine))
            {
                return false;
            }

            for (var i = fraction.Length - 1; i < 9; i++)
            {
                fine *= 10;
            }
        }

        micros = (((((hours * 60) + minutes) * 60) + seconds) * 1_000_000) + (fine / 1000);
        return fine % 1000 == 0 && micros <= MicrosInDay;
    }

    private static bool TryDigits(ReadOnlySpan<byte> text, out long number) =>
        Utf8Parser.TryParse(text, out number, out var read) && read == text.Length && text.Length > 0 && char.IsAsciiDigit((char)text[0]);

    private static long DaysOf(long year, long month, long day)
    {
        year -= month <= 2 ? 1 : 0;
        var era = (year >= 0 ? year : year - 399) / 400;
        var yearOfEra = year - (era * 400);
        var dayOfYear = (((153 * (month + (month > 2 ? -3 : 9))) + 2) / 5) + day - 1;
        var dayOfEra = (yearOfEra * 365) + (yearOfEra / 4) - (yearOfEra / 100) + dayOfYear;
        return (era * 146_097) + dayOfEra - 719_468;
    }

    private static string Date(long days, out string era)
    {
        days += 719_468;
        var cycle = (days >= 0 ? days : days - 146_096) / 146_097;
        var dayOfCycle = days - (cycle * 146_097);
        var yearOfCycle = (dayOfCycle - (dayOfCycle / 1460) + (dayOfCycle / 36_524) - (dayOfCycle / 146_096)) / 365;
        var dayOfYear = dayOfCycle - ((365 * yearOfCycle) + (yearOfCycle / 4) - (yearOfCycle / 100));
        var shifted = ((5 * dayOfYear) + 2) / 153;
        var day = dayOfYear - (((153 * shifted) + 2) / 5) + 1;
        var month = shifted < 10 ? shifted + 3 : shifted - 9;
        var year = yearOfCycle + (cycle * 400) + (month <= 2 ? 1 : 0);
        era = year <= 0 ? " BC" : "";
        return string.Create(CultureInfo.InvariantCulture, $"{(year <= 0 ? 1 - year : year):0000}-{month:00}-{day:00}");
    }

    private static string Time(long micros)
    {
        var (seconds, fine) = Math.DivRem(micros, 1_000_000);
        var text = string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:00}:{seconds / 60 % 60:00}:{seconds % 60:00}");
        return fine == 0 ? text : text + string.Create(CultureInfo.InvariantCulture, $".{fine:000000}").TrimEnd('0');
    }
}
