namespace CdcMigrator.Cutover.Planning;

/// <summary>What may go wrong.</summary>
/// <param name="Weight">high, medium or low.</param>
/// <param name="Code">The finding it follows from, or a name of its own.</param>
/// <param name="Risk">What may happen.</param>
/// <param name="Mitigation">What prevents it, or limits it.</param>
/// <param name="Tables">Tables concerned; empty where it is the server or all of them.</param>
public sealed record PlanRisk(string Weight, string Code, string Risk, string Mitigation, IReadOnlyList<string> Tables);
