namespace CdcMigrator.Domain.Comparing;

/// <summary>A sign of life of the reconciler.</summary>
/// <param name="At">When, by the target's clock.</param>
/// <param name="Age">How old it was when it was read, by the same clock.</param>
/// <param name="Behind">Records of the log its reader had still to read; -1 where it did not know.</param>
/// <param name="Fault">What kept it from working; null where it worked.</param>
public sealed record ReconcilerBeat(DateTimeOffset At, TimeSpan Age, long Behind, string? Fault);
