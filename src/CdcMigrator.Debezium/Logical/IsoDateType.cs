namespace CdcMigrator.Debezium.Logical;

/// <summary>date as <c>2017-09-15Z</c> (<c>time.precision.mode=isostring</c>). Infinite, BC and very late dates are unusable there (observed).</summary>
internal sealed class IsoDateType : LogicalType
{
    public static readonly IsoDateType Instance = new();

    public override Outcome FromText(ReadOnlySpan<byte> utf8, ValueWriter writer)
    {
        var text = new IsoText(utf8);
        if (!text.TakeDate(out var year, out var month, out var day) || (!text.IsAtEnd && !(text.Take('Z') && text.IsAtEnd))
            || year > 9999 || IsoText.IsBeforeTrustedDay(year, month, day))
        {
            return Outcome.Unfaithful;
        }

        TimeText.WriteDate(year, month, day, writer);
        return Outcome.Value;
    }
}
