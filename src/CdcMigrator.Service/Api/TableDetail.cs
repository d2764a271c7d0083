namespace CdcMigrator.Service.Api;

/// <summary>A table in <see cref="TablesReport"/>. What is not known is null.</summary>
public sealed record TableDetail
{
    /// <summary>Table in the source.</summary>
    public required string Source { get; init; }

    /// <summary>Table in the target.</summary>
    public required string Target { get; init; }

    /// <summary>Equal, InFlight, Suspended, Mismatch, Unverifiable or Error; null before the first verification.</summary>
    public string? Verdict { get; init; }

    /// <summary>When the verdict was reached.</summary>
    public DateTimeOffset? VerifiedAt { get; init; }

    /// <summary>Rows counted in the source.</summary>
    public long? RowsSource { get; init; }

    /// <summary>Rows counted in the target.</summary>
    public long? RowsTarget { get; init; }

    /// <summary>The copy of what the table held: <c>running</c>, or <c>done</c> once the connector has said so; null where it cannot be asked.</summary>
    public string? Snapshot { get; init; }

    /// <summary>Rows of snapshots applied by this process since it started.</summary>
    public long SnapshotRows { get; init; }

    /// <summary>Records not yet applied.</summary>
    public long Behind { get; init; }

    /// <summary>Lanes of this process, by state.</summary>
    public required IReadOnlyDictionary<string, int> Lanes { get; init; }

    /// <summary>The last copy that was asked for; null where none was.</summary>
    public ResyncReport? Resync { get; init; }

    /// <summary>What does not fit, or why rows may differ.</summary>
    public required IReadOnlyList<PreflightFinding> Findings { get; init; }

    /// <summary>Faults of its lanes.</summary>
    public required IReadOnlyList<FaultReport> Faults { get; init; }
}
