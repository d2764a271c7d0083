namespace CdcMigrator.Service.Api;

/// <summary>A row in <see cref="RepairReport"/>.</summary>
/// <param name="Key">Key column to its text, by source names.</param>
/// <param name="Kind">How it was wrong: <c>missing</c>, <c>extra</c> or <c>different</c>.</param>
/// <param name="Action"><c>inserted</c>, <c>updated</c>, <c>deleted</c>, <c>gone</c> from both sides, or <c>none</c> where it stays.</param>
/// <param name="Fault">Why it stays; null where it is repaired.</param>
public sealed record RepairedRow(IReadOnlyDictionary<string, string> Key, string? Kind, string Action, FaultReport? Fault);
