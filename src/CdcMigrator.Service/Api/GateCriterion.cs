namespace CdcMigrator.Service.Api;

/// <summary>One condition of the gate.</summary>
/// <param name="Name">Its name.</param>
/// <param name="State">PASS, FAIL or UNKNOWN. UNKNOWN never passes.</param>
/// <param name="Measured">What is.</param>
/// <param name="Allowed">What may be.</param>
/// <param name="Fix">What to do; empty where it passes.</param>
public sealed record GateCriterion(string Name, string State, string Measured, string Allowed, string Fix = "");
