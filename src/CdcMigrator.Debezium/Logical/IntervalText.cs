namespace CdcMigrator.Debezium.Logical;

/// <summary>Writes an interval as PostgreSQL does under <c>IntervalStyle=postgres</c>: <c>1 mon -2 days +00:00:03.5</c>.</summary>
internal static class IntervalText
{
    public static void Write(int months, long days, long micros, ValueWriter writer)
    {
        var empty = true;
        var before = false;
        Part(months / 12, " year"u8, writer, ref empty, ref before);
        Part(months % 12, " mon"u8, writer, ref empty, ref before);
        Part(days, " day"u8, writer, ref empty, ref before);
        if (!empty && micros == 0)
        {
            return;
        }

        if (!empty)
        {
            writer.Write(' ');
        }

        if (micros < 0)
        {
            writer.Write('-');
        }
        else if (before)
        {
            writer.Write('+');
        }

        TimeText.WriteTime(Math.Abs(micros), writer);
    }

    /// <summary>A part behind a negative one carries its sign, also when it is positive.</summary>
    private static void Part(long value, ReadOnlySpan<byte> unit, ValueWriter writer, ref bool empty, ref bool before)
    {
        if (value == 0)
        {
            return;
        }

        if (!empty)
        {
            writer.Write(' ');
        }

        if (before && value > 0)
        {
            writer.Write('+');
        }

        writer.WriteInteger(value);
        writer.Write(unit);
        if (value != 1)
        {
            writer.Write('s');
        }

        before = value < 0;
        empty = false;
    }
}
