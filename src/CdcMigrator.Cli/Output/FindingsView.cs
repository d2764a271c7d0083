using CdcMigrator.Service.Api;

namespace CdcMigrator.Cli.Output;

/// <summary>Findings for people.</summary>
internal static class FindingsView
{
    public static void Show(Terminal terminal, IReadOnlyList<PreflightFinding> findings)
    {
        foreach (var finding in findings)
        {
            var colour = finding.Severity switch { "error" => "red", "warning" => "yellow", _ => "grey" };
            var place = finding.Table is null ? "" : finding.Column is null ? $" {finding.Table}" : $" {finding.Table}.{finding.Column}";
            terminal.Line($"[{colour}]{finding.Severity.ToUpperInvariant(),-7}[/] {Sheet.Text(finding.Code)}{Sheet.Text(place)}: {Sheet.Text(finding.Message)}");
            if (finding.Fix.Length > 0)
            {
                terminal.Line($"        {Sheet.Text(finding.Fix)}");
            }
        }
    }

    /// <summary><c>2 errors, 1 warnings, 3 notes</c>.</summary>
    public static string Counts(IReadOnlyList<PreflightFinding> findings)
    {
        int Count(string severity) => findings.Count(finding => finding.Severity == severity);
        return $"{Count("error")} errors, {Count("warning")} warnings, {Count("info")} notes";
    }
}
