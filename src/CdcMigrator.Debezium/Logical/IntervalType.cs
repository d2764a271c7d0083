namespace CdcMigrator.Debezium.Logical;

/// <summary>interval as <c>io.debezium.time.Interval</c>: <c>P0Y-1M-2DT0H0M-3.5S</c>, each part with its own sign.</summary>
internal sealed class IntervalType : LogicalType
{
    public static readonly IntervalType Instance = new();

    public override Outcome FromText(ReadOnlySpan<byte> utf8, ValueWriter writer)
    {
        var text = new IsoText(utf8);
        if (!text.Take('P'))
        {
            throw Malformed("an interval", utf8);
        }

        Int128 months = 0, days = 0, micros = 0;
        var inTime = false;
        while (!text.IsAtEnd)
        {
            inTime |= text.Take('T');
            var negative = text.Take('-');
            if (!text.TakeDigits(out var number, out _))
            {
                throw Malformed("an interval", utf8);
            }

            long fraction = 0;
            var fractional = text.Take('.');
            if (fractional && !text.TakeFraction(out fraction))
            {
                throw Malformed("an interval", utf8);
            }

            var sign = negative ? -1 : 1;
            if (inTime && text.Take('S'))
            {
                micros += sign * (((Int128)number * 1_000_000) + fraction);
                continue;
            }

            var part = (Int128)number * sign;
            var known = !fractional && (inTime
                ? (text.Take('H') && Add(ref micros, part * 3_600_000_000)) || (text.Take('M') && Add(ref micros, part * 60_000_000))
                : (text.Take('Y') && Add(ref months, part * 12)) || (text.Take('M') && Add(ref months, part))
                    || (text.Take('W') && Add(ref days, part * 7)) || (text.Take('D') && Add(ref days, part)));
            if (!known)
            {
                throw Malformed("an interval", utf8);
            }
        }

        if (Int128.Abs(months) > int.MaxValue || Int128.Abs(days) > (Int128)int.MaxValue + 1 || Int128.Abs(micros) > long.MaxValue)
        {
            throw Malformed("an interval PostgreSQL can hold", utf8);
        }

        IntervalText.Write((int)months, (long)days, (long)micros, writer);
        return Outcome.Value;
    }

    private static bool Add(ref Int128 sum, Int128 part)
    {
        sum += part;
        return true;
    }
}
