namespace CdcMigrator.Debezium.Logical;

/// <summary>time as <c>04:05:11.789Z</c> (<c>isostring</c>). 24:00:00 arrives as <c>00:00:00Z</c> (observed), so midnight says nothing.</summary>
internal sealed class IsoTimeType : LogicalType
{
    public static readonly IsoTimeType Instance = new();

    public override Outcome FromText(ReadOnlySpan<byte> utf8, ValueWriter writer)
    {
        var text = new IsoText(utf8);
        if (!text.TakeTime(out var micros) || (!text.IsAtEnd && !(text.Take('Z') && text.IsAtEnd)) || micros == 0)
        {
            return Outcome.Unfaithful;
        }

        TimeText.WriteTime(micros, writer);
        return Outcome.Value;
    }
}
