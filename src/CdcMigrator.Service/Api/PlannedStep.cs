using CdcMigrator.Cutover.Switching;

namespace CdcMigrator.Service.Api;

/// <summary>A step that an attempt would do.</summary>
/// <param name="Name">Which.</param>
/// <param name="Would">On which side, and what; of the first step what it found.</param>
public sealed record PlannedStep(CutoverStep Name, string Would);
