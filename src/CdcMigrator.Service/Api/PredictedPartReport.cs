using CdcMigrator.Cutover.Predicting;

namespace CdcMigrator.Service.Api;

/// <summary>One part of a predicted outage.</summary>
/// <param name="Part">Which.</param>
/// <param name="P50Ms">Half of the cutovers take less for it, in milliseconds.</param>
/// <param name="P99Ms">99 in 100 take less, in milliseconds.</param>
public sealed record PredictedPartReport(OutagePart Part, double P50Ms, double P99Ms)
{
    internal static IReadOnlyList<PredictedPartReport> Of(OutagePrediction? prediction) =>
        [.. (prediction?.Parts ?? []).Select(part => new PredictedPartReport(part.Part, Math.Round(part.Time.P50.TotalMilliseconds, 1), Math.Round(part.Time.P99.TotalMilliseconds, 1)))];
}
