namespace CdcMigrator.Cutover.Predicting;

/// <summary>How long something took, measured several times.</summary>
/// <param name="P50">Half of the measurements were no longer.</param>
/// <param name="P99">99 in 100 were no longer; of fewer than 100 the longest.</param>
public readonly record struct MeasuredTime(TimeSpan P50, TimeSpan P99)
{
    /// <summary>The percentiles of measurements, each of which is one of them (nearest rank).</summary>
    /// <exception cref="ArgumentException">There is no measurement, or a negative one.</exception>
    public static MeasuredTime Of(IEnumerable<TimeSpan> measurements)
    {
        TimeSpan[] sorted = [.. measurements.Order()];
        if (sorted.Length == 0 || sorted[0] < TimeSpan.Zero)
        {
            throw new ArgumentException("at least one measurement, and none below zero", nameof(measurements));
        }

        return new MeasuredTime(At(50), At(99));

        TimeSpan At(int percent) => sorted[(((sorted.Length * percent) + 99) / 100) - 1];
    }

    /// <summary>One after the other. Where both are slow at the same time the sum is exact, else it is more than 99 in 100 take.</summary>
    public MeasuredTime Plus(MeasuredTime other) => new(P50 + other.P50, P99 + other.P99);
}
