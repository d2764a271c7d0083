namespace CdcMigrator.Debezium.Logical;

/// <summary>time as an integer since midnight, 24:00:00 included; MariaDB's goes beyond a day and below zero, for an interval column.</summary>
internal sealed class TimeType(TimeUnit unit) : LogicalType
{
    public override Outcome FromInteger(long value, ValueWriter writer)
    {
        if (!TimeText.TryToMicros(value, unit, out var micros) || micros == long.MinValue)
        {
            throw new FormatException($"{value} is no time");
        }

        if (micros < 0)
        {
            writer.Write('-');
        }

        TimeText.WriteTime(Math.Abs(micros), writer);
        return Outcome.Value;
    }
}
