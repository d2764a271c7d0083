using System.Text.Json.Serialization;

namespace CdcMigrator.Service.Api;

/// <summary>One condition of the gate.</summary>
/// <param name="Name">Its name.</param>
/// <param name="State">PASS, FAIL or UNKNOWN. UNKNOWN never passes.</param>
/// <param name="Measured">What is.</param>
/// <param name="Allowed">What may be.</param>
/// <param name="Fix">What to do; empty where it passes.</param>
public sealed record GateCriterion(string Name, string State, string Measured, string Allowed, string Fix = "")
{
    /// <summary>Fingerprint of all that was found; null where it passes, or where what was found cannot be waived.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Finding { get; init; }

    /// <summary>Who accepted that it does not pass; null where nobody did.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public WaiverReport? Waiver { get; init; }

    /// <summary>Whether it keeps the gate closed.</summary>
    [JsonIgnore]
    public bool Closes => State != "PASS" && Waiver is null;
}
