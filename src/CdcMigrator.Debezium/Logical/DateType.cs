namespace CdcMigrator.Debezium.Logical;

/// <summary>date as days since 1970-01-01 (<c>io.debezium.time.Date</c>, <c>org.apache.kafka.connect.data.Date</c>).</summary>
internal sealed class DateType : LogicalType
{
    public static readonly DateType Instance = new();

    public override Outcome FromInteger(long value, ValueWriter writer)
    {
        switch (value)
        {
            // The stream's sentinels, then the snapshot's (observed). All lie outside PostgreSQL's range.
            case -2_147_472_692 or -622_191_234:
                writer.Write("infinity"u8);
                return Outcome.Value;
            case -2_147_472_691 or -625_821_272:
                writer.Write("-infinity"u8);
                return Outcome.Value;
        }

        if (value is < TimeText.FirstDay or > TimeText.LastDay || (writer.OldDatesAreShifted && value < TimeText.FirstTrustedDay))
        {
            return Outcome.Unfaithful;
        }

        TimeText.WriteEra(TimeText.WriteDate(value, writer), writer);
        return Outcome.Value;
    }
}
