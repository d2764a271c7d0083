using CdcMigrator.Domain.Preflight;

namespace CdcMigrator.Service.Api;

/// <summary>One finding in <see cref="PreflightReport"/>.</summary>
/// <param name="Severity">error, warning or info.</param>
/// <param name="Code">Stable name.</param>
/// <param name="Table">Source table, if one is concerned.</param>
/// <param name="Column">Column, if one is concerned.</param>
/// <param name="Message">What is so.</param>
/// <param name="Fix">What to do.</param>
public sealed record PreflightFinding(string Severity, string Code, string? Table, string? Column, string Message, string Fix)
{
    internal static PreflightFinding Of(Finding finding) =>
        new(finding.Severity.ToString().ToLowerInvariant(), finding.Code, finding.Table, finding.Column, finding.Message, finding.Fix);

    internal Finding ToFinding() => new(Enum.Parse<Domain.Preflight.Severity>(Severity, ignoreCase: true), Code, Message, Fix) { Table = Table, Column = Column };
}
