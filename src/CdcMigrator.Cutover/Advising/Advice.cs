namespace CdcMigrator.Cutover.Advising;

/// <summary>What is to be done, and every rule that applies; the first one decided.</summary>
/// <param name="Kind">What is to be done.</param>
/// <param name="Rules">The rules, in the order in which they count.</param>
public sealed record Advice(AdviceKind Kind, IReadOnlyList<AdviceRule> Rules);
