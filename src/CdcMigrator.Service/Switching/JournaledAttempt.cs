using CdcMigrator.Cutover.Switching;
using CdcMigrator.Service.Api;

namespace CdcMigrator.Service.Switching;

/// <summary>What the journals of both sides keep of an attempt that is over.</summary>
/// <param name="Report">The attempt.</param>
/// <param name="PredictedMs">What was predicted of its outage.</param>
/// <param name="Predicted">The prediction's parts; null in journals of earlier versions.</param>
/// <param name="From">System identifier and timeline of the side that is left.</param>
/// <param name="To">Those of the side that takes over.</param>
internal sealed record JournaledAttempt(CutoverReport Report, double? PredictedMs, IReadOnlyList<PredictedPartReport>? Predicted, string From, string To);
