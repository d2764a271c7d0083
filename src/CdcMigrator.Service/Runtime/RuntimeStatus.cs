using CdcMigrator.Domain.Benchmarking;
using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Status;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Domain.Waivers;
using CdcMigrator.Embedded;

namespace CdcMigrator.Service.Runtime;

/// <summary>A service process at one moment.</summary>
public sealed record RuntimeStatus
{
    /// <summary>Where it is in its life.</summary>
    public required RuntimePhase Phase { get; init; }

    /// <summary>The pipeline; null until it has started.</summary>
    public PipelineStatus? Pipeline { get; init; }

    /// <summary>Everything that is wrong now: what the start waits for, the pipeline's fault, halted lanes.</summary>
    public required IReadOnlyList<Fault> Faults { get; init; }

    /// <summary>Those of them that are of what feeds the log: a slot, a connector, a log that lost changes.</summary>
    public IReadOnlyList<Fault> SourceFaults { get; init; } = [];

    /// <summary>What of the source could not be looked at the last time.</summary>
    public IReadOnlyList<string> SourceUnseen { get; init; } = [];

    /// <summary>When the session that reads the source's slot had been seen and what was open before was over: what was compared before counts no more. Null where nothing depends on it, and while it waits.</summary>
    public DateTimeOffset? ReaderSince { get; init; }

    /// <summary>The oldest transaction that was open when that session was first seen and is not over: until then no comparison counts. Null where none is.</summary>
    public string? ReaderWaitsFor { get; init; }

    /// <summary>What does not fit or will go wrong without stopping a lane yet, each with what to run; errors first.</summary>
    public IReadOnlyList<Finding> Findings { get; init; } = [];

    /// <summary>The log's initial snapshot: <c>running</c> or <c>done</c>; null while neither Connect nor the log says.</summary>
    public string? Snapshot { get; init; }

    /// <summary>Tables and where they go; null until the target's catalog was read.</summary>
    public RouteTable? Routes { get; init; }

    /// <summary>The embedded log; null with Kafka.</summary>
    public EmbeddedLogStatus? Log { get; init; }

    /// <summary>Dead letters in the target by source table; null where they are not known.</summary>
    public IReadOnlyDictionary<string, long>? DeadLetters { get; init; }

    /// <summary>What is known of each table's equality, by source table; null where the target does not say.</summary>
    public IReadOnlyDictionary<TableName, TableState>? Verified { get; init; }

    /// <summary>What each kind of check found last; null where the target does not say.</summary>
    public IReadOnlyList<CheckReport>? Checks { get; init; }

    /// <summary>The last sign of life of the reconciler, whichever process it is in; null where there never was one.</summary>
    public ReconcilerBeat? Reconciler { get; init; }

    /// <summary>The last result of each benchmark; null where the target does not say.</summary>
    public IReadOnlyList<BenchmarkResult>? Benchmarks { get; init; }

    /// <summary>Whether applications may write to the side that is applied to, by its own row; null before it was prepared, and where it does not say.</summary>
    public FenceRecord? Side { get; init; }

    /// <summary>Why nothing is applied for now, because a person said so; null while changes are applied.</summary>
    public Pause? Paused { get; init; }

    /// <summary>Criteria of the gate that a person waived; null where the target does not say.</summary>
    public IReadOnlyList<Waiver>? Waivers { get; init; }

    /// <summary>Lanes that are not this process's; null where the log or the target does not say.</summary>
    public OtherLanes? Elsewhere { get; init; }

    /// <summary>Tables being copied again; null where that is not known.</summary>
    public IReadOnlyList<string>? Copying { get; init; }

    /// <summary>Whether the process does its work: started, broker heard, no lane waiting for its claim.</summary>
    public bool Ready => Phase == RuntimePhase.Running && Pipeline is { Fault: null } pipeline
        && pipeline.Lanes.All(lane => lane.State is not LaneState.Claiming);
}
