namespace CdcMigrator.Cutover.Predicting;

/// <summary>Why a cutover is not begun.</summary>
/// <param name="Largest">The part that takes longest; null where not all parts are known.</param>
/// <param name="Message">What was predicted and what is allowed.</param>
/// <param name="Fix">What shortens the largest part, or measures what is not known.</param>
public sealed record OutageRefusal(OutagePart? Largest, string Message, string Fix);
