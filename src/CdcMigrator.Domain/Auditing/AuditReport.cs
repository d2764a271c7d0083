using CdcMigrator.Domain.Preflight;

namespace CdcMigrator.Domain.Auditing;

/// <summary>What a source holds, as far as moving it depends on that. Of text and bytes it says lengths and counts, never a value.</summary>
public sealed record AuditReport
{
    /// <summary>Name of the migration.</summary>
    public required string Migration { get; init; }

    /// <summary>When the audit began.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>How long it took, in seconds.</summary>
    public required double Seconds { get; init; }

    /// <summary>The server.</summary>
    public required SourceProfile Source { get; init; }

    /// <summary>The tables of the migration file that exist, by name.</summary>
    public required IReadOnlyList<TableProfile> Tables { get; init; }

    /// <summary>Foreign keys in which one of these tables has a part.</summary>
    public IReadOnlyList<ForeignKeyProfile> ForeignKeys { get; init; } = [];

    /// <summary>Sequences, or AUTO_INCREMENT columns.</summary>
    public IReadOnlyList<SequenceProfile> Sequences { get; init; } = [];

    /// <summary>Extensions of the source and their versions; empty for MariaDB and MySQL.</summary>
    public IReadOnlyList<string> Extensions { get; init; } = [];

    /// <summary>What was written meanwhile; null where that was not measured.</summary>
    public MeasuredRates? Measured { get; init; }

    /// <summary>What there is to know or to mend, errors first.</summary>
    public required IReadOnlyList<Finding> Findings { get; init; }

    /// <summary>The values of every table are known, be it from a sample.</summary>
    public bool IsComplete => Tables.All(table => table.NotProfiled is null);

    /// <summary>No finding is an error.</summary>
    public bool Ok => Findings.All(finding => finding.Severity != Severity.Error);
}
