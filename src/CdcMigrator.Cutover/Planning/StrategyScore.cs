namespace CdcMigrator.Cutover.Planning;

/// <summary>How well a strategy suits.</summary>
/// <param name="Strategy">The strategy.</param>
/// <param name="Score">From 0 to 100.</param>
/// <param name="Reasons">What makes the score; together with where every strategy starts they add up to it, within its bounds.</param>
public sealed record StrategyScore(Strategy Strategy, int Score, IReadOnlyList<ScoreReason> Reasons);
