namespace CdcMigrator.Cutover.Advising;

/// <summary>A rule that applies, with what it says.</summary>
/// <param name="Name">Its name, stable.</param>
/// <param name="Says">What it says is to be done.</param>
/// <param name="Because">What was found.</param>
/// <param name="Do">The next command, or what to do.</param>
public sealed record AdviceRule(string Name, AdviceKind Says, string Because, string Do);
