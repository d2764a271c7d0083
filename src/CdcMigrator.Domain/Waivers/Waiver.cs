namespace CdcMigrator.Domain.Waivers;

/// <summary>A person's word that a criterion of the gate need not pass, for what was found of it then, and for nothing else.</summary>
/// <param name="Criterion">Name of the criterion.</param>
/// <param name="Finding">Fingerprint of what was found when it was waived: it counts for nothing once something else is found.</param>
/// <param name="Measured">What was found, for people.</param>
/// <param name="Reason">Why it need not pass.</param>
/// <param name="By">Who says so.</param>
/// <param name="At">Since when, by the target's clock.</param>
/// <param name="Until">When it ends by itself; null where it does not.</param>
public sealed record Waiver(string Criterion, string Finding, string Measured, string Reason, string By, DateTimeOffset At, DateTimeOffset? Until)
{
    /// <summary>Whether it has ended by itself.</summary>
    public bool IsOver(DateTimeOffset at) => at >= Until;
}
