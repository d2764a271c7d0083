using CdcMigrator.Service.Api;

namespace CdcMigrator.Cli.Output;

/// <summary>Repairs for people.</summary>
internal static class RepairView
{
    public static void Show(Terminal terminal, RepairReport report)
    {
        foreach (var row in report.Rows)
        {
            var key = string.Join(", ", row.Key.Select(column => $"{column.Key}={column.Value}"));
            if (row.Fault is { } fault)
            {
                terminal.Fault($"{report.Table} {key}: {fault.Message}; it stays as it is", fault.Fix);
            }
            else
            {
                terminal.Line($"{Sheet.Text(report.Table)} {Sheet.Text(key)}: [green]{Sheet.Text(row.Action)}[/]");
            }
        }

        terminal.Line(report.DryRun
            ? $"{Sheet.Number(report.Repaired)} would be repaired, {Sheet.Number(report.Remaining)} would stay; nothing was written"
            : $"{Sheet.Number(report.Repaired)} repaired, {Sheet.Number(report.Remaining)} stay");
        if (report.Truncated)
        {
            terminal.Line($"more rows are wrong than were named: compare again with 'cdcm verify start {Sheet.Text(report.Table)}'");
        }
        else if (report is { Repaired: > 0, DryRun: false })
        {
            terminal.Line("next: 'cdcm verify show' no longer lists them once they were found equal");
        }
    }
}
