using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Service.Runtime;

namespace CdcMigrator.Service.Watching;

/// <summary>What is wrong with what feeds the log. Immutable.</summary>
/// <param name="Faults">Faults: something must be done, or changes do not arrive.</param>
/// <param name="Findings">What does not fit or will go wrong, each with what to run; errors first.</param>
internal sealed record SourceReport(IReadOnlyList<Fault> Faults, IReadOnlyList<Finding> Findings)
{
    /// <summary>What could not be looked at the last time, so that what is said of it is of before.</summary>
    public IReadOnlyList<string> Unseen { get; init; } = [];

    /// <summary>From when on comparisons count, for the session that reads the source's slot; null where that is not known, or nothing depends on it.</summary>
    public DateTimeOffset? ReaderSince { get; init; }

    /// <summary>A transaction that was open when that session began and is not over; until then none counts.</summary>
    public string? ReaderWaitsFor { get; init; }

    /// <summary>A lane's fault with the statement that mends it, where the catalogs say which.</summary>
    public Fault? Mend(Fault? fault)
    {
        if (fault is not { Code: "unknown-column" or "column-not-in-event" or "key-mismatch" })
        {
            return fault;
        }

        var statements = Findings.Where(finding => finding.Table == fault.Table && finding.Severity == Severity.Error).Select(finding => finding.Fix).ToList();
        return statements.Count == 0 ? fault : fault with { Fix = $"{string.Join("; ", statements)}. The lane resumes by itself" };
    }

    /// <summary>A status with what is wrong with what feeds the log, the embedded log itself included.</summary>
    public RuntimeStatus AddTo(RuntimeStatus now) => now with
    {
        SourceFaults = now.Log?.Fault is { } ofLog ? [ofLog, .. Faults] : Faults,
        SourceUnseen = Unseen,
        ReaderSince = ReaderSince,
        ReaderWaitsFor = ReaderWaitsFor,
        Findings = Findings,
    };

    public static SourceReport Empty { get; } = new([], []);
}
