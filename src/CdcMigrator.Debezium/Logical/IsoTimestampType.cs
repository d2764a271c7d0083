namespace CdcMigrator.Debezium.Logical;

/// <summary>timestamp as <c>2017-09-15T04:05:11.789Z</c> (<c>isostring</c>): a zone-less value printed with a Z. Infinite and BC ones are unusable there.</summary>
internal sealed class IsoTimestampType : LogicalType
{
    public static readonly IsoTimestampType Instance = new();

    public override Outcome FromText(ReadOnlySpan<byte> utf8, ValueWriter writer)
    {
        var text = new IsoText(utf8);
        if (!text.TakeDate(out var year, out var month, out var day) || !text.Take('T') || !text.TakeTime(out var micros)
            || (!text.IsAtEnd && !(text.Take('Z') && text.IsAtEnd)) || year > 9999 || IsoText.IsBeforeTrustedDay(year, month, day))
        {
            return Outcome.Unfaithful;
        }

        TimeText.WriteDate(year, month, day, writer);
        writer.Write(' ');
        TimeText.WriteTime(micros, writer);
        return Outcome.Value;
    }
}
