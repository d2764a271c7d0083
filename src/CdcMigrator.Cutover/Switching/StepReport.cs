namespace CdcMigrator.Cutover.Switching;

/// <summary>One step of an attempt, as it was.</summary>
/// <param name="Name">Which.</param>
/// <param name="Ms">How long it took, in milliseconds.</param>
/// <param name="Outcome">What it found or did; where it failed, why.</param>
/// <param name="Done">Whether it did what it is for.</param>
public sealed record StepReport(CutoverStep Name, double Ms, string Outcome, bool Done);
