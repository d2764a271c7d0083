namespace CdcMigrator.Reconciliation.Benchmarking;

/// <summary>Percentiles of a few measured times. Pure.</summary>
public static class Percentile
{
    /// <summary>The least of the values that is no smaller than that part of them (nearest rank): always a value that was measured.</summary>
    /// <param name="values">Not empty, in any order.</param>
    /// <param name="part">From 0 to 1.</param>
    public static double Of(IReadOnlyList<double> values, double part)
    {
        ArgumentNullException.ThrowIfNull(values);
        var rank = (int)Math.Ceiling(part * values.Count);
        return values.Order().ElementAt(Math.Clamp(rank, 1, values.Count) - 1);
    }
}
