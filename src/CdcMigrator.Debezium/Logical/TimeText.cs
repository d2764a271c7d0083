namespace CdcMigrator.Debezium.Logical;

/// <summary>
/// Dates and times in PostgreSQL's ISO text, over its whole range (4714 BC to 5874897 AD), which no .NET type covers. Proleptic
/// Gregorian calendar; days and microseconds count from 1970-01-01.
/// </summary>
internal static class TimeText
{
    public const long MicrosOfDay = 86_400_000_000;

    /// <summary>4714-11-24 BC.</summary>
    public const long FirstDay = -2_440_588;

    /// <summary>5874897-12-31.</summary>
    public const long LastDay = 2_145_042_905;

    /// <summary>4714-11-24 BC 00:00:00.</summary>
    public const long FirstMicros = FirstDay * MicrosOfDay;

    /// <summary>
    /// 1582-10-25. Dates that a snapshot reads through java.sql types from before 1582-10-15 are shifted, those of the ten days that
    /// calendar leaves out to as much as 1582-10-24 (observed).
    /// </summary>
    public const long FirstTrustedDay = -141_417;

    /// <summary>Writes <c>YYYY-MM-DD</c> without the era, which PostgreSQL puts at the very end. Returns whether that is BC.</summary>
    public static bool WriteDate(long days, ValueWriter writer)
    {
        // Howard Hinnant's civil_from_days: eras of 400 years that begin on March 1st.
        var shifted = days + 719_468;
        var era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097;
        var dayOfEra = shifted - (era * 146_097);
        var yearOfEra = (dayOfEra - (dayOfEra / 1_460) + (dayOfEra / 36_524) - (dayOfEra / 146_096)) / 365;
        var dayOfYear = dayOfEra - ((365 * yearOfEra) + (yearOfEra / 4) - (yearOfEra / 100));
        var shiftedMonth = ((5 * dayOfYear) + 2) / 153;
        var day = dayOfYear - (((153 * shiftedMonth) + 2) / 5) + 1;
        var month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
        var year = yearOfEra + (era * 400) + (month <= 2 ? 1 : 0);
        return WriteDate(year, month, day, writer);
    }

    /// <summary>Writes a date of an astronomical year: 0 is 1 BC.</summary>
    public static bool WriteDate(long year, long month, long day, ValueWriter writer)
    {
        writer.WriteInteger(year > 0 ? year : 1 - year, width: 4);
        writer.Write('-');
        writer.WriteInteger(month, width: 2);
        writer.Write('-');
        writer.WriteInteger(day, width: 2);
        return year <= 0;
    }

    /// <summary>Writes a time of day, or beyond it: hours grow past 23. The fraction has no trailing zeros, as PostgreSQL prints it.</summary>
    public static void WriteTime(long micros, ValueWriter writer)
    {
        writer.WriteInteger(micros / 3_600_000_000, width: 2);
        writer.Write(':');
        writer.WriteInteger(micros / 60_000_000 % 60, width: 2);
        writer.Write(':');
        writer.WriteInteger(micros / 1_000_000 % 60, width: 2);
        WriteFraction(micros % 1_000_000, writer);
    }

    /// <summary>Writes <c>.ffffff</c> without trailing zeros; nothing for zero.</summary>
    public static void WriteFraction(long micros, ValueWriter writer)
    {
        if (micros == 0)
        {
            return;
        }

        byte width = 6;
        while (micros % 10 == 0)
        {
            micros /= 10;
            width--;
        }

        writer.Write('.');
        writer.WriteInteger(micros, width);
    }

    /// <summary>Writes a timestamp.</summary>
    public static void WriteTimestamp(long micros, ValueWriter writer)
    {
        var days = Math.DivRem(micros, MicrosOfDay, out var time);
        if (time < 0)
        {
            days--;
            time += MicrosOfDay;
        }

        var bc = WriteDate(days, writer);
        writer.Write(' ');
        WriteTime(time, writer);
        WriteEra(bc, writer);
    }

    /// <summary>Ends a date or timestamp.</summary>
    public static void WriteEra(bool bc, ValueWriter writer)
    {
        if (bc)
        {
            writer.Write(" BC"u8);
        }
    }

    /// <summary>A value in microseconds; false where it exceeds 64 bits.</summary>
    /// <exception cref="FormatException">It is finer than microseconds, which PostgreSQL cannot hold.</exception>
    public static bool TryToMicros(long value, TimeUnit unit, out long micros)
    {
        micros = value;
        switch (unit)
        {
            case TimeUnit.Milliseconds:
                micros = unchecked(value * 1000);
                return value is >= long.MinValue / 1000 and <= long.MaxValue / 1000;
            case TimeUnit.Nanoseconds:
                micros = value / 1000;
                return value % 1000 == 0 ? true : throw new FormatException($"{value} ns is finer than the microseconds PostgreSQL holds");
            default:
                return true;
        }
    }
}
