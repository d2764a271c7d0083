using CdcMigrator.Domain.Waivers;

namespace CdcMigrator.Service.Api;

/// <summary>A waiver of a criterion.</summary>
/// <param name="Criterion">Name of the criterion.</param>
/// <param name="State">How it stands.</param>
/// <param name="By">Who waived it.</param>
/// <param name="Reason">Why.</param>
/// <param name="At">Since when.</param>
/// <param name="Until">When it ends by itself; null where it does not.</param>
/// <param name="Measured">What was found then, and is waived.</param>
public sealed record WaiverReport(string Criterion, WaiverState State, string By, string Reason, DateTimeOffset At, DateTimeOffset? Until, string Measured)
{
    internal static WaiverReport Of(Waiver waiver, WaiverState state) => new(waiver.Criterion, state, waiver.By, waiver.Reason, waiver.At, waiver.Until, waiver.Measured);
}
