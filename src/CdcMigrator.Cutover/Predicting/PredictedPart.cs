namespace CdcMigrator.Cutover.Predicting;

/// <summary>One part of a predicted outage.</summary>
/// <param name="Part">Which.</param>
/// <param name="Time">How long.</param>
public sealed record PredictedPart(OutagePart Part, MeasuredTime Time);
