using System.Text.Json;
using CdcMigrator.Cutover.Predicting;
using CdcMigrator.Cutover.Switching;
using CdcMigrator.Service.Api;

namespace CdcMigrator.Service.Switching;

/// <summary>What the journals of both sides keep of an attempt that is over.</summary>
/// <param name="Report">The attempt.</param>
/// <param name="PredictedMs">What was predicted of its outage.</param>
/// <param name="Predicted">The prediction's parts; null in journals of earlier versions.</param>
/// <param name="From">System identifier and timeline of the side that is left.</param>
/// <param name="To">Those of the side that takes over.</param>
/// <param name="Waived">Criteria of the gate that did not pass and had been waived; null in journals of earlier versions.</param>
internal sealed record JournaledAttempt(CutoverReport Report, double? PredictedMs, IReadOnlyList<PredictedPartReport>? Predicted, string From, string To, IReadOnlyList<WaiverReport>? Waived = null)
{
    /// <summary>What is kept of a report. Mappings are the migration file's business: the proof names its tables.</summary>
    public static JournaledAttempt Of(CutoverReport report, OutagePrediction? prediction, string from, string to, IReadOnlyList<WaiverReport> waived) => new(
        report with { Proof = report.Proof is { Back: { } back } proof ? proof with { Back = back with { Tables = [] } } : report.Proof },
        prediction?.Total.P99.TotalMilliseconds, PredictedPartReport.Of(prediction), from, to, waived);

    /// <summary>As the journals have it.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ApiJson.Options);
}
