namespace CdcMigrator.Cutover.Advising;

/// <summary>A criterion that keeps a gate closed.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Measured">What is found.</param>
/// <param name="Fix">What to do.</param>
/// <param name="Heals">Whether it comes to pass by itself.</param>
public sealed record GateFact(string Name, string Measured, string Fix, bool Heals);
