using CdcMigrator.Cutover.Switching;

namespace CdcMigrator.Service.Api;

/// <summary>What an attempt did, on what proof, and how each claim is checked without this program: the body of <c>/api/cutover/evidence</c>.</summary>
public sealed record CutoverEvidence
{
    /// <summary>Name of the migration.</summary>
    public required string Migration { get; init; }

    /// <summary>When the attempt ended, by the clock of the side whose journal was read.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The side that was left: <c>source</c> or <c>target</c>.</summary>
    public required string Left { get; init; }

    /// <summary>The side that took over.</summary>
    public required string Taking { get; init; }

    /// <summary>System identifier and timeline of the side that was left; empty where it did not answer.</summary>
    public required string LeftServer { get; init; }

    /// <summary>System identifier and timeline of the side that took over.</summary>
    public required string TakingServer { get; init; }

    /// <summary>What was predicted of the outage, in milliseconds; null where it was not.</summary>
    public required double? PredictedMs { get; init; }

    /// <summary>The prediction's parts.</summary>
    public required IReadOnlyList<PredictedPartReport> Predicted { get; init; }

    /// <summary>Criteria of the gate that did not pass and had been waived.</summary>
    public required IReadOnlyList<WaiverReport> Waived { get; init; }

    /// <summary>The attempt: who asked for it, steps, fence, drain proof, tables, sequences, hooks.</summary>
    public required CutoverReport Report { get; init; }

    /// <summary>How to check it.</summary>
    public required IReadOnlyList<EvidenceCheck> Checks { get; init; }
}
