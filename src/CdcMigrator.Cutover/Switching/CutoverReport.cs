using CdcMigrator.Cutover.Draining;
using CdcMigrator.Cutover.Routing;
using CdcMigrator.Domain.Faults;

namespace CdcMigrator.Cutover.Switching;

/// <summary>An attempt as it stands: what was done, and what it was done on.</summary>
public sealed record CutoverReport
{
    /// <summary>The attempt.</summary>
    public required CutoverAttempt Attempt { get; init; }

    /// <summary>How it stands.</summary>
    public CutoverPhase Phase { get; init; } = CutoverPhase.Running;

    /// <summary>The step that is being done; null before the first and after the last.</summary>
    public CutoverStep? Current { get; init; }

    /// <summary>Steps that are over, in order.</summary>
    public IReadOnlyList<StepReport> Steps { get; init; } = [];

    /// <summary>Why it was refused or undone.</summary>
    public Fault? Fault { get; init; }

    /// <summary>What the fence left in the log.</summary>
    public FencePosition? Fence { get; init; }

    /// <summary>The drain proof.</summary>
    public DrainReport? Drain { get; init; }

    /// <summary>What was proven behind the fence.</summary>
    public CutoverProof? Proof { get; init; }

    /// <summary>What the hooks came to, in order, repeats included.</summary>
    public IReadOnlyList<HookOutcome> Hooks { get; init; } = [];

    /// <summary>
    /// From the first lock of the fence, or the first hook that makes applications wait before it, to the opening, in milliseconds; of a rehearsal, and of an attempt that was undone, until its fence was lifted. Null until
    /// then, and where no side was closed. Writers that were not in its way saw less.
    /// </summary>
    public double? OutageMs { get; init; }
}
