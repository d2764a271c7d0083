namespace CdcMigrator.Cutover.Predicting;

/// <summary>Work that is left, and how fast such work was done.</summary>
/// <param name="Items">Records to apply, or keys to compare.</param>
/// <param name="PerSecond">What half of the measured seconds reached.</param>
/// <param name="PerSecondWhenSlow">What 99 in 100 reached; at most <paramref name="PerSecond"/>.</param>
public readonly record struct RemainingWork(long Items, double PerSecond, double PerSecondWhenSlow)
{
    /// <summary>Longest time that is computed: work that is not done at all takes no less.</summary>
    private static readonly TimeSpan Forever = TimeSpan.FromDays(1);

    /// <summary>How long it takes; a day where nothing was ever done in a second.</summary>
    public MeasuredTime Time => new(At(Math.Max(PerSecond, PerSecondWhenSlow)), At(Math.Min(PerSecond, PerSecondWhenSlow)));

    private TimeSpan At(double rate) => Items <= 0 ? TimeSpan.Zero
        : rate > 0 && Items / rate < Forever.TotalSeconds ? TimeSpan.FromSeconds(Items / rate)
        : Forever;
}
