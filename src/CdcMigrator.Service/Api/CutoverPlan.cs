using CdcMigrator.Cutover.Predicting;
using CdcMigrator.Cutover.Switching;
using CdcMigrator.Domain.Migrations;

namespace CdcMigrator.Service.Api;

/// <summary>What an attempt would do now, and how long writes would wait: the body of <c>/api/cutover/plan</c>.</summary>
public sealed record CutoverPlan
{
    /// <summary>Name of the migration.</summary>
    public required string Migration { get; init; }

    /// <summary>Which way.</summary>
    public required MigrationDirection Direction { get; init; }

    /// <summary>Steps in the order in which they would be done; where the attempt would be refused, only the one that refuses it.</summary>
    public required IReadOnlyList<PlannedStep> Steps { get; init; }

    /// <summary>Predicted write outage in milliseconds, 99 in 100 take less; null where it was not come to.</summary>
    public required double? PredictedMs { get; init; }

    /// <summary>Its parts.</summary>
    public required IReadOnlyList<PredictedPartReport> Predicted { get; init; }

    /// <summary>Hooks whose time is not in it, since they never ran.</summary>
    public required IReadOnlyList<string> HooksNotMeasured { get; init; }

    /// <summary>Why it would be refused now; null where it would not.</summary>
    public required FaultReport? Fault { get; init; }

    internal static CutoverPlan Of(string migration, CutoverReport report, IReadOnlyDictionary<CutoverStep, string> would, OutagePrediction? prediction) => new()
    {
        Migration = migration,
        Direction = report.Attempt.Direction,
        Steps = [.. report.Steps.Select(step => new PlannedStep(step.Name, would.GetValueOrDefault(step.Name) ?? step.Outcome))],
        PredictedMs = prediction is null ? null : Math.Round(prediction.Total.P99.TotalMilliseconds, 1),
        Predicted = PredictedPartReport.Of(prediction),
        HooksNotMeasured = prediction?.HooksNotMeasured ?? [],
        Fault = report.Fault is { } fault ? FaultReport.Of(fault) : null,
    };
}
