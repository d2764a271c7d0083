using CdcMigrator.Domain.Auditing;

namespace CdcMigrator.Service.Api;

/// <summary>An audit as JSON: what <c>cdcm audit -o json</c> prints and <c>cdcm plan --audit</c> reads.</summary>
/// <param name="SchemaVersion">Of this form: <see cref="CurrentVersion"/>; larger where a reader of this one would misread it.</param>
/// <param name="Ok">No finding is an error.</param>
/// <param name="Complete">The values of every table are known.</param>
/// <param name="Migration">Name of the migration.</param>
/// <param name="At">When the audit began.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Source">The server.</param>
/// <param name="Tables">Tables and their columns.</param>
/// <param name="ForeignKeys">Foreign keys.</param>
/// <param name="Sequences">Sequences, or AUTO_INCREMENT columns.</param>
/// <param name="Extensions">Extensions and versions.</param>
/// <param name="Measured">What was written meanwhile.</param>
/// <param name="Findings">What was found, errors first.</param>
public sealed record AuditDocument(
    int SchemaVersion, bool Ok, bool Complete, string Migration, DateTimeOffset At, double Seconds, SourceProfile Source, IReadOnlyList<TableProfile> Tables, IReadOnlyList<ForeignKeyProfile> ForeignKeys,
    IReadOnlyList<SequenceProfile> Sequences, IReadOnlyList<string> Extensions, MeasuredRates? Measured, IReadOnlyList<PreflightFinding> Findings)
{
    /// <summary>Version of the form.</summary>
    public const int CurrentVersion = 1;

    /// <summary>The document of a report.</summary>
    public static AuditDocument Of(AuditReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        return new AuditDocument(
            CurrentVersion, report.Ok, report.IsComplete, report.Migration, report.At, report.Seconds, report.Source, report.Tables, report.ForeignKeys, report.Sequences, report.Extensions, report.Measured,
            [.. report.Findings.Select(PreflightFinding.Of)]);
    }

    /// <summary>The report of a document.</summary>
    public AuditReport ToReport() => new()
    {
        Migration = Migration,
        At = At,
        Seconds = Seconds,
        Source = Source,
        Tables = Tables,
        ForeignKeys = ForeignKeys,
        Sequences = Sequences,
        Extensions = Extensions,
        Measured = Measured,
        Findings = [.. Findings.Select(finding => finding.ToFinding())],
    };
}
