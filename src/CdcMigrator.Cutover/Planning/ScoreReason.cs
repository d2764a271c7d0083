namespace CdcMigrator.Cutover.Planning;

/// <summary>Why a strategy has points, or lacks them.</summary>
/// <param name="Points">Added; negative where it speaks against it.</param>
/// <param name="Reason">One sentence, with the measured value.</param>
public sealed record ScoreReason(int Points, string Reason);
