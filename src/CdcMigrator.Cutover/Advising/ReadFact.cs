namespace CdcMigrator.Cutover.Advising;

/// <summary>A benchmark that did not pass, as it was last run.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Ratio">How many times the source's time the target took; 0 where it did not run.</param>
/// <param name="What">What was found.</param>
public sealed record ReadFact(string Name, double Ratio, string What);
