namespace CdcMigrator.Debezium.Logical;

/// <summary>timestamp with time zone as <c>io.debezium.time.ZonedTimestamp</c>: <c>2024-02-29T10:34:56.789012Z</c>, <c>-0043-…</c> for 44 BC, <c>infinity</c>.</summary>
internal sealed class ZonedTimestampType : LogicalType
{
    public static readonly ZonedTimestampType Instance = new();

    public override Outcome FromText(ReadOnlySpan<byte> utf8, ValueWriter writer)
    {
        if (utf8.SequenceEqual("infinity"u8) || utf8.SequenceEqual("-infinity"u8))
        {
            writer.Write(utf8);
            return Outcome.Value;
        }

        var text = new IsoText(utf8);
        if (!text.TakeDate(out var year, out var month, out var day) || !text.Take('T') || !text.TakeTime(out var micros))
        {
            throw Malformed("a timestamp with time zone", utf8);
        }

        if (writer.OldDatesAreShifted && IsoText.IsBeforeTrustedDay(year, month, day))
        {
            return Outcome.Unfaithful;
        }

        var bc = TimeText.WriteDate(year, month, day, writer);
        writer.Write(' ');
        TimeText.WriteTime(micros, writer);
        WriteZone(text, utf8, writer);
        TimeText.WriteEra(bc, writer);
        return Outcome.Value;
    }

    private static void WriteZone(IsoText zone, ReadOnlySpan<byte> whole, ValueWriter writer)
    {
        var offset = zone.Rest;
        if (zone.Take('Z') && zone.IsAtEnd)
        {
            writer.Write("+00"u8);
            return;
        }

        var valid = (zone.Take('+') || zone.Take('-')) && zone.TakeTwo(18, out _) && (!zone.Take(':') || zone.TakeTwo(59, out _)) && zone.IsAtEnd;
        if (!valid)
        {
            throw Malformed("a timestamp with time zone", whole);
        }

        writer.Write(offset);
    }
}
