namespace CdcMigrator.Debezium.Logical;

/// <summary>timestamp without time zone as an integer since 1970-01-01.</summary>
internal sealed class TimestampType(TimeUnit unit) : LogicalType
{
    private const long Infinity = 9_223_372_036_825_200_000;
    private const long MinusInfinity = -9_223_372_036_832_400_000;

    public override Outcome FromInteger(long value, ValueWriter writer)
    {
        if (value is Infinity or MinusInfinity)
        {
            writer.Write(value == Infinity ? "infinity"u8 : "-infinity"u8);
            return Outcome.Value;
        }

        // Timestamps behind 294247-01-10 04:00:54.775807 wrap to before PostgreSQL's first, or stop at that very value (both observed).
        if (!TimeText.TryToMicros(value, unit, out var micros) || micros is < TimeText.FirstMicros or long.MaxValue
            || (writer.OldDatesAreShifted && micros < TimeText.FirstTrustedDay * TimeText.MicrosOfDay))
        {
            return Outcome.Unfaithful;
        }

        TimeText.WriteTimestamp(micros, writer);
        return Outcome.Value;
    }
}
