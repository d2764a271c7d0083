using System.Globalization;
using System.Text;
using CdcMigrator.Domain.Auditing;
using CdcMigrator.Domain.Preflight;

namespace CdcMigrator.Service.Auditing;

/// <summary>An audit as Markdown. Pure.</summary>
public static class AuditMarkdown
{
    /// <summary>The text.</summary>
    public static string Render(AuditReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        var text = new StringBuilder();
        var source = report.Source;
        Line(text, $"# Audit: {report.Migration}");
        Line(text);
        Line(text, $"{source.Engine} {source.Version}, database {source.Database}; {report.At:u}, {report.Seconds.ToString("0.#", CultureInfo.InvariantCulture)} s. Of text and bytes lengths and counts are shown, never a value.");
        Line(text);
        Line(text, $"{report.Tables.Count} tables, {report.Tables.Sum(table => table.Rows):N0} rows, {report.Tables.Sum(table => table.Bytes):N0} bytes; {report.ForeignKeys.Count} foreign keys. "
            + string.Join(", ", new[] { Severity.Error, Severity.Warning, Severity.Info }.Select(severity => $"{report.Findings.Count(finding => finding.Severity == severity)} {Word(severity)}")) + ".");
        if (report.Measured is { } rates)
        {
            Line(text);
            Line(text, string.Create(CultureInfo.InvariantCulture, $"While it was surveyed: {rates.WritesPerSecond:0.##} rows written a second{(rates.LogBytesPerSecond is { } log ? $", {log:N0} bytes of log a second" : "")}, over {rates.Seconds:0.#} s."));
        }

        Findings(text, report);
        Tables(text, report);
        if (report.ForeignKeys.Count > 0)
        {
            Line(text);
            Line(text, "## Foreign keys");
            Line(text);
            Line(text, "| key | table | refers to | on delete | orphans |");
            Line(text, "|---|---|---|---|---:|");
            foreach (var key in report.ForeignKeys)
            {
                Line(text, $"| {Cell(key.Name)} | {Cell(key.Table)} | {Cell(key.References)} | {key.OnDelete} | {(key.Orphans is { } orphans ? orphans.ToString("N0", CultureInfo.InvariantCulture) : "not counted")} |");
            }
        }

        if (report.Sequences.Count > 0)
        {
            Line(text);
            Line(text, "## Sequences");
            Line(text);
            Line(text, "| sequence | last value | limit | used |");
            Line(text, "|---|---:|---:|---:|");
            foreach (var sequence in report.Sequences)
            {
                Line(text, $"| {Cell(sequence.Name)} | {sequence.LastValue?.ToString(CultureInfo.InvariantCulture) ?? "–"} | {sequence.Limit.ToString(CultureInfo.InvariantCulture)} | {sequence.UsedPercent.ToString("0.##", CultureInfo.InvariantCulture)} % |");
            }
        }

        Line(text);
        Line(text, "## Server");
        Line(text);
        foreach (var (name, value) in source.Settings.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            Line(text, $"- `{name}`: {value}");
        }

        if (report.Extensions.Count > 0)
        {
            Line(text, $"- extensions: {string.Join(", ", report.Extensions)}");
        }

        return text.ToString();
    }

    private static void Findings(StringBuilder text, AuditReport report)
    {
        Line(text);
        Line(text, "## Findings");
        Line(text);
        if (report.Findings.Count == 0)
        {
            Line(text, "None.");
            return;
        }

        Line(text, "| severity | code | where | what | what to do |");
        Line(text, "|---|---|---|---|---|");
        foreach (var finding in report.Findings)
        {
            var where = finding.Table is null ? "" : finding.Column is null ? finding.Table : $"{finding.Table}.{finding.Column}";
            Line(text, $"| {finding.Severity.ToString().ToLowerInvariant()} | `{finding.Code}` | {Cell(where)} | {Cell(finding.Message)} | {Cell(finding.Fix)} |");
        }
    }

    private static void Tables(StringBuilder text, AuditReport report)
    {
        Line(text);
        Line(text, "## Tables");
        foreach (var table in report.Tables)
        {
            Line(text);
            Line(text, $"### {table.Table}");
            Line(text);
            if (table.NotProfiled is { } trouble)
            {
                Line(text, $"**Not profiled**: {trouble}.");
                Line(text);
            }

            Line(text, $"{table.Rows:N0} rows{(table.RowsRead < table.Rows ? $", of which {table.RowsRead:N0} were read" : "")}; {table.Bytes:N0} bytes{(table.ToastBytes > 0 ? $", {table.ToastBytes:N0} out of line" : "")}{(table.LargestRowBytes is { } largest ? $", {largest:N0} the largest row" : "")}; key "
                + $"{(table.Key.Count == 0 ? "none" : $"({string.Join(", ", table.Key)})")}; {(report.Source.Engine == "postgresql" ? "replica identity" : "engine")} {table.Identity}"
                + (table.Parts > 0 ? $"; {table.Parts} {(table.Kind == "partitioned" ? "partitions" : "tables inherit from it")}" : "")
                + (table.WritesPerSecond is { } writes ? $"; {writes.ToString("0.###", CultureInfo.InvariantCulture)} rows written a second" : ""));
            Line(text);
            Line(text, "| column | type | NULL | least | greatest | longest | else |");
            Line(text, "|---|---|---:|---|---|---:|---|");
            foreach (var column in table.Columns)
            {
                var oddities = column.Oddities.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key} {pair.Value.ToString("N0", CultureInfo.InvariantCulture)}");
                Line(text, $"| {Cell(column.Name)} | {Cell(column.Type)}{(column.Nullable ? "" : " not null")} | {column.Nulls:N0} | {column.Min} | {column.Max} | {column.LongestBytes:N0} | {string.Join(", ", oddities)} |");
            }
        }
    }

    private static string Word(Severity severity) => severity switch { Severity.Error => "errors", Severity.Warning => "warnings", _ => "notes" };

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings(" ");

    private static void Line(StringBuilder text, string line = "") => text.Append(line).Append('\n');
}
