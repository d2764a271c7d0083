namespace CdcMigrator.Debezium.Logical;

/// <summary>timestamp without time zone as an integer since 1970-01-01.</summary>
internal sealed class TimestampType(TimeUnit unit) : LogicalType
{
    private readonly long infinity = unit == TimeUnit.Nanoseconds ? long.MaxValue : 9_223_372_036_825_200_000;
    private readonly long minusInfinity = unit == TimeUnit.Nanoseconds ? long.MinValue : -9_223_372_036_832_400_000;

    public override Outcome FromInteger(long value, ValueWriter writer)
    {
        if (value == infinity || value == minusInfinity)
        {
            writer.Write(value == infinity ? "infinity"u8 : "-infinity"u8);
            return Outcome.Value;
        }

        // Timestamps behind 294247-01-10 wrap to before PostgreSQL's first (observed).
        if (!TimeText.TryToMicros(value, unit, out var micros) || micros < TimeText.FirstMicros
            || (writer.OldDatesAreShifted && micros < TimeText.FirstTrustedDay * TimeText.MicrosOfDay))
        {
            return Outcome.Unfaithful;
        }

        TimeText.WriteTimestamp(micros, writer);
        return Outcome.Value;
    }
}
