using CdcMigrator.Cutover.Predicting;
using CdcMigrator.Cutover.Switching;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Service.Switching;

namespace CdcMigrator.Service.Api;

/// <summary>Who takes writes, and the last attempt of this process to change that: the body of <c>/api/cutover</c>.</summary>
public sealed record CutoverStatus
{
    /// <summary>Name of the migration.</summary>
    public required string Migration { get; init; }

    /// <summary>The source; null before it was prepared.</summary>
    public required CutoverSide? Source { get; init; }

    /// <summary>The target; null before it was prepared.</summary>
    public required CutoverSide? Target { get; init; }

    /// <summary>When the migration was completed; null while it goes on.</summary>
    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>Who completed it.</summary>
    public string? CompletedBy { get; init; }

    /// <summary>How the last attempt stands; null before the first in this process.</summary>
    public required CutoverPhase? Phase { get; init; }

    /// <summary>Which way it goes; null before the first.</summary>
    public required MigrationDirection? Direction { get; init; }

    /// <summary>Who asked for it.</summary>
    public required string? Actor { get; init; }

    /// <summary>Its identity.</summary>
    public required string? Attempt { get; init; }

    /// <summary>The step under way.</summary>
    public required CutoverStep? Step { get; init; }

    /// <summary>Steps that are over.</summary>
    public required IReadOnlyList<StepReport> Steps { get; init; }

    /// <summary>From the first lock of the fence, or the first hook that makes applications wait before it, to the opening, in milliseconds; of a rehearsal, and of an attempt that was undone, until its fence was lifted.</summary>
    public required double? WriteOutageMs { get; init; }

    /// <summary>What was predicted of it before the fence, in milliseconds: 99 in 100 take less.</summary>
    public required double? PredictedMs { get; init; }

    /// <summary>The prediction's parts in their order; empty before.</summary>
    public required IReadOnlyList<PredictedPartReport> Predicted { get; init; }

    /// <summary>Sequences that were moved on.</summary>
    public required IReadOnlyList<string> Sequences { get; init; }

    /// <summary>Why the attempt was refused or undone, or what is left to do by hand.</summary>
    public required FaultReport? Fault { get; init; }

    /// <summary>What keeps the way back from running.</summary>
    public required FaultReport? WayBack { get; init; }

    /// <summary>Holes in the fence of a closed side, and what others wrote there, as of the last minute.</summary>
    public IReadOnlyList<PreflightFinding> Findings { get; init; } = [];

    /// <summary>Why nothing is known of one of both sides, which is null then; null where both answered.</summary>
    public FaultReport? Away { get; init; }

    /// <summary>What to do next.</summary>
    public required IReadOnlyList<string> NextSteps { get; init; }

    internal static CutoverStatus Of(string migration, FenceRecord? source, FenceRecord? target, CutoverReport? last, OutagePrediction? predicted, Fault? wayBack, Fault? away = null) => new()
    {
        Migration = migration,
        Source = CutoverSide.Of(source),
        Target = CutoverSide.Of(target),
        CompletedAt = target?.CompletedAt,
        CompletedBy = target?.CompletedBy,
        Phase = last?.Phase,
        Direction = last?.Attempt.Direction,
        Actor = last?.Attempt.Actor,
        Attempt = last?.Attempt.Token,
        Step = last?.Current,
        Steps = last?.Steps ?? [],
        WriteOutageMs = last?.OutageMs,
        PredictedMs = predicted is null ? null : Math.Round(predicted.Total.P99.TotalMilliseconds, 1),
        Predicted = PredictedPartReport.Of(predicted),
        Sequences = last?.Proof?.Sequences ?? [],
        Fault = last?.Fault is { } fault ? FaultReport.Of(fault) : null,
        Away = away is null ? null : FaultReport.Of(away),
        WayBack = wayBack is null ? null : FaultReport.Of(wayBack),
        NextSteps = away is not null ? Alone(source ?? target) : target?.CompletedAt is null ? Next(source, target) : ["The migration is over: applications write to the target, the source stays closed"],
    };

    private static IReadOnlyList<string> Alone(FenceRecord? known) => known is { State: FenceState.Closed } or { Held.Length: > 0 }
        ? ["An attempt has closed the side that answers, or makes its applications wait: 'cdcm cutover abort' calls it off, and so does its lease when it ends"]
        : ["Nothing is begun or ended until both sides answer; 'cdcm cutover sql -f FILE' prints what psql alone does with the side that does. Where the other one is lost for good, '--remove' with this side's name prints what opens it"];

    private static IReadOnlyList<string> Next(FenceRecord? source, FenceRecord? target) => (source?.State, target?.State) switch
    {
        (null, _) or (_, null) => ["'cdcm cutover prepare' prepares both sides; applications notice nothing"],
        _ when source is { State: FenceState.Open, Held.Length: > 0 } || target is { State: FenceState.Open, Held.Length: > 0 } =>
            ["An attempt makes applications wait and is about to close their side: 'cdcm cutover abort' calls it off, and so does the end of its time where its process is gone"],
        _ when source is { NoReturn: true } && target is { State: FenceState.Open } => [$"{NoWayBack.What("source")}. {NoWayBack.Fix("source")}"],
        _ when target is { NoReturn: true } && source is { State: FenceState.Open } => [$"{NoWayBack.What("target")}. {NoWayBack.Fix("target")}"],
        (FenceState.Open, FenceState.Sealed) => ["'cdcm cutover check' shows what stands in the way, 'cdcm cutover start' makes the target take over"],
        (FenceState.Sealed, FenceState.Open) => ["'cdcm rollback' goes back to the source without loss", "'cdcm cutover complete' ends the migration, when nobody wants to go back any more"],
        (FenceState.Closed, FenceState.Open) or (FenceState.Open, FenceState.Closed) =>
            ["The closed side was left for good and came back from an older copy of itself: a running service seals it again. Do not open it: applications write to the other one"],
        (FenceState.Closed, _) or (_, FenceState.Closed) => ["An attempt has closed a side: 'cdcm cutover abort' lifts its fence, and so does its lease when it ends"],
        (FenceState.Sealed, FenceState.Sealed) => ["The side that takes over is being opened, by any process that reaches both sides"],
        _ => ["Both sides take writes: that must not be; stop the applications"],
    };
}
