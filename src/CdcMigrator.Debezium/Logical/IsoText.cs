namespace CdcMigrator.Debezium.Logical;

/// <summary>Reads the parts of ISO-8601 text from its front.</summary>
internal ref struct IsoText(ReadOnlySpan<byte> text)
{
    private ReadOnlySpan<byte> rest = text;

    /// <summary>Whether all is read.</summary>
    public readonly bool IsAtEnd => rest.Length == 0;

    /// <summary>What is unread.</summary>
    public readonly ReadOnlySpan<byte> Rest => rest;

    /// <summary>Takes a character if it is next.</summary>
    public bool Take(char ascii)
    {
        if (rest.Length == 0 || rest[0] != ascii)
        {
            return false;
        }

        rest = rest[1..];
        return true;
    }

    /// <summary>Takes digits as a number; false without any, or beyond 15 of them.</summary>
    public bool TakeDigits(out long value, out int count)
    {
        value = 0;
        for (count = 0; count < rest.Length && rest[count] is >= (byte)'0' and <= (byte)'9'; count++)
        {
            value = (value * 10) + rest[count] - '0';
        }

        rest = rest[Math.Min(count, rest.Length)..];
        return count is > 0 and <= 15;
    }

    /// <summary>Takes exactly two digits not above a limit.</summary>
    public bool TakeTwo(int most, out long value) => TakeDigits(out value, out var count) && count == 2 && value <= most;

    /// <summary>Takes <c>[+-]YYYY-MM-DD</c>, the year astronomical: 0000 is 1 BC.</summary>
    public bool TakeDate(out long year, out long month, out long day)
    {
        month = day = 0;
        var negative = Take('-');
        var signed = negative || Take('+');
        if (!TakeDigits(out year, out var count) || count < 4 || (count > 4 && !signed) || count > 9)
        {
            return false;
        }

        year = negative ? -year : year;
        return Take('-') && TakeTwo(12, out month) && Take('-') && TakeTwo(31, out day) && month > 0 && day > 0;
    }

    /// <summary>Takes <c>HH:MM[:SS[.fraction]]</c> as microseconds. Digits beyond the sixth must be zeros.</summary>
    public bool TakeTime(out long micros)
    {
        micros = 0;
        if (!TakeTwo(24, out var hours) || !Take(':') || !TakeTwo(59, out var minutes))
        {
            return false;
        }

        long seconds = 0;
        long fraction = 0;
        if (Take(':') && !TakeTwo(60, out seconds))
        {
            return false;
        }

        if (Take('.') && !TakeFraction(out fraction))
        {
            return false;
        }

        micros = (((((hours * 60) + minutes) * 60) + seconds) * 1_000_000) + fraction;
        return true;
    }

    /// <summary>Takes the digits behind a point as microseconds.</summary>
    public bool TakeFraction(out long micros)
    {
        if (!TakeDigits(out micros, out var count))
        {
            return false;
        }

        for (; count < 6; count++)
        {
            micros *= 10;
        }

        for (; count > 6; count--)
        {
            if (micros % 10 != 0)
            {
                return false;
            }

            micros /= 10;
        }

        return true;
    }

    /// <summary>Whether a date lies before those that a snapshot can be trusted with.</summary>
    public static bool IsBeforeTrustedDay(long year, long month, long day) =>
        year < 1582 || (year == 1582 && (month < 10 || (month == 10 && day < 25)));
}
