using CdcMigrator.Domain.Comparing;

namespace CdcMigrator.Service.Api;

/// <summary>What a full comparison found of a table.</summary>
public sealed record VerifyTable
{
    /// <summary>Source table.</summary>
    public required string Source { get; init; }

    /// <summary>Target table.</summary>
    public required string Target { get; init; }

    /// <summary>What was found; null while the table is being compared.</summary>
    public required Verdict? Verdict { get; init; }

    /// <summary>Why, where that is not plain.</summary>
    public string? Reason { get; init; }

    /// <summary>Rows of the source that were compared, so far.</summary>
    public required long RowsCompared { get; init; }

    /// <summary>Rows of the target that were compared, so far.</summary>
    public required long RowsTarget { get; init; }

    /// <summary>Rows of the source as its statistics have it; null where the table is done.</summary>
    public long? RowsEstimated { get; init; }

    /// <summary>Rows that were on their way each time they were compared.</summary>
    public required long InFlight { get; init; }

    /// <summary>Rows that are wrong.</summary>
    public required long Wrong { get; init; }

    /// <summary>The wrong rows as they are known now, at most 100; those repaired since are gone.</summary>
    public required IReadOnlyList<VerifyMismatch> Mismatches { get; init; }

    /// <summary>The last snapshots that decided something.</summary>
    public string? Evidence { get; init; }
}
