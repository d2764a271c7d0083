namespace CdcMigrator.Domain.Comparing;

/// <summary>A full comparison that was asked for.</summary>
/// <param name="Run">Its number, growing.</param>
/// <param name="State"><c>running</c>, <c>finished</c> or <c>stopped</c>.</param>
/// <param name="RequestedBy">Who asked.</param>
/// <param name="RequestedAt">When.</param>
/// <param name="FinishedAt">When it ended; null while it is under way.</param>
/// <param name="Tables">What it found, by table.</param>
public sealed record VerificationRun(
    long Run, string State, string RequestedBy, DateTimeOffset RequestedAt, DateTimeOffset? FinishedAt, IReadOnlyList<TableResult> Tables)
{
    /// <summary>Whether it is under way.</summary>
    public bool IsRunning => State == "running";

    /// <summary>
    /// The weakest of its tables' verdicts: one wrong row makes it a mismatch, and what is not known is not equal. Unverified while it is under way.
    /// </summary>
    public Verdict Verdict => Tables.Count == 0 || Tables.Any(table => table.Verdict is null) ? Verdict.Unverified : Tables.MaxBy(table => Weight(table.Verdict!.Value))!.Verdict!.Value;

    private static int Weight(Verdict verdict) => verdict switch
    {
        Verdict.Mismatch => 6,
        Verdict.Error => 5,
        Verdict.Unverifiable => 4,
        Verdict.Unverified => 3,
        Verdict.Suspended => 2,
        Verdict.InFlight => 1,
        _ => 0,
    };
}
