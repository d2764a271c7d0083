using CdcMigrator.Cutover.Advising;
using CdcMigrator.Domain.Benchmarking;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Reporting;
using CdcMigrator.Service.Runtime;

namespace CdcMigrator.Service.Advising;

/// <summary>The facts that advice goes by, from what is known of both directions. Pure.</summary>
internal static class AdviceReading
{
    /// <param name="definition">The migration file.</param>
    /// <param name="forward">The way forward.</param>
    /// <param name="back">The way back; null where there is none.</param>
    /// <param name="backFault">What keeps the way back from running.</param>
    /// <param name="source">The source's row; null before it was prepared.</param>
    /// <param name="target">The target's row.</param>
    /// <param name="leaked">Rows of the side that was left that others than the migration wrote there.</param>
    /// <param name="gaps">Holes in the fence of a closed side.</param>
    /// <param name="notKnown">What could not be asked: a side's row that is missing for that reason says nothing.</param>
    /// <param name="at">The time.</param>
    public static AdviceFacts Of(
        MigrationDefinition definition, RuntimeStatus forward, RuntimeStatus? back, Fault? backFault, FenceRecord? source, FenceRecord? target, long leaked, IReadOnlyList<string> gaps, IReadOnlyList<string> notKnown,
        DateTimeOffset at)
    {
        var standing = notKnown.Count > 0 && (source is null || target is null) && target is not { CompletedAt: not null } ? Standing.Unknown : StandingOf(source, target);
        var opened = standing == Standing.Window ? at - target!.Age : DateTimeOffset.MinValue;
        var none = source is { NoReturn: true } || target is { NoReturn: true };
        var wrong = standing != Standing.Window || none ? [] : (back?.Verified?.Values ?? []).SelectMany(table => table.Wrong.Values).ToList();
        var turned = back is null ? null : definition.TurnedRound();
        return new AdviceFacts
        {
            Standing = standing,
            Forward = Way(forward, Gate.Of(definition, forward, at), null),
            Back = back is null || none ? null : Way(back, standing == Standing.Window ? Gate.Of(turned!, back, at) : null, backFault),
            NoReturn = none,
            IsGoingBack = standing == Standing.Switching && target is not null && (target.State == FenceState.Closed || target.Epoch > source?.Epoch),
            RequiresReverse = definition.Cutover.RequireReverse ?? true,
            IsPrepared = source is not null && target is not null,
            IsForsaken = source is { IsForsaken: true } || target is { IsForsaken: true },
            IsRouted = standing != Standing.Window || target!.Routed == target.Token,
            OpenFor = standing == Standing.Window ? target!.Age : TimeSpan.Zero,
            Window = definition.Cutover.RollbackWindow,
            SlowReads = [.. Slow(definition, forward.Benchmarks ?? [], opened)],

            // Of the way back the source is what is written: a row it has and the target has not is extra there. One that others wrote is mostly the same row.
            LostRows = Math.Max(leaked, wrong.Count(row => row.Kind == DifferenceKind.Extra)),
            WrongRows = wrong.Count(row => row.Kind != DifferenceKind.Extra),
            Gaps = gaps,
            NotKnown = notKnown,
        };
    }

    private static Standing StandingOf(FenceRecord? source, FenceRecord? target) => (source?.State, target?.State) switch
    {
        _ when target is { CompletedAt: not null } => Standing.Over,
        (FenceState.Open, FenceState.Open) => Standing.Split,
        (null or FenceState.Open, null or FenceState.Sealed) => Standing.Before,
        (FenceState.Sealed, FenceState.Open) => Standing.Window,
        _ => Standing.Switching,
    };

    private static WayFacts Way(RuntimeStatus now, GateReport? gate, Fault? fault)
    {
        var broken = now.Faults.FirstOrDefault(known => known.Kind == FaultKind.LogBroken);
        var wrong = fault ?? now.Faults.FirstOrDefault(known => known.Kind != FaultKind.LogBroken);
        var slot = now.Findings.FirstOrDefault(finding => finding.Code.StartsWith("slot-", StringComparison.Ordinal));
        var comparing = (now.Verified?.Values ?? []).Any(table => table.Phase is TablePhase.Passing or TablePhase.Settling);
        return new WayFacts
        {
            Closing = gate is null ? null : [.. gate.Criteria.Where(criterion => criterion.Closes).Select(criterion => new GateFact(criterion.Name, criterion.Measured, criterion.Fix, Heals(criterion, comparing)))],
            Waived = gate is null ? [] : [.. gate.Criteria.Where(criterion => criterion.Waiver is not null).Select(criterion => criterion.Name)],
            Fault = wrong?.Message ?? (now.Phase == RuntimePhase.Running ? null : "it is not running yet"),
            FaultFix = wrong?.Fix ?? "",
            Paused = now.Paused is { } pause ? $"It is {pause}" : null,
            Broken = broken?.Message,
            Slot = slot?.Message,
            SlotFix = slot?.Fix ?? "",
        };
    }

    /// <summary>What passes by itself: a lag, keys that are yet to be compared, a copy or a comparison under way, and what is not known while it is found out.</summary>
    private static bool Heals(GateCriterion criterion, bool comparing) => criterion.Name switch
    {
        "lag" or "dirtyKeys" or "copies" => true,
        "verification" or "mismatches" or "rogueWrites" => criterion.State == "UNKNOWN" && comparing,
        _ => criterion.State == "UNKNOWN",
    };

    private static IEnumerable<ReadFact> Slow(MigrationDefinition definition, IReadOnlyList<BenchmarkResult> results, DateTimeOffset since) =>
        from benchmark in definition.Benchmarks
        from result in results
        where result.Name == benchmark.Name && result.Fingerprint == benchmark.Fingerprint && result.Outcome != BenchmarkOutcome.Passed && result.At >= since
        select new ReadFact(result.Name, result.Outcome == BenchmarkOutcome.Slower ? result.Ratio : 0, result.Reason.Length > 0 ? $"{result.Outcome}: {result.Reason}" : result.Outcome.ToString());
}
