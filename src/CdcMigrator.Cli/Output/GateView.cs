using CdcMigrator.Service.Api;
using Spectre.Console;

namespace CdcMigrator.Cli.Output;

/// <summary>The gate for people: every criterion, and what to do about those that do not pass.</summary>
internal static class GateView
{
    public static void Show(Terminal terminal, GateReport report)
    {
        var sheet = Sheet.Of("criterion", "state", "measured", "allowed", "what to do");
        foreach (var criterion in report.Criteria)
        {
            sheet.AddRow(
                Sheet.Text(criterion.Name), criterion.Waiver is null ? State(criterion.State) : "[yellow]WAIVED[/]", Sheet.Text(criterion.Measured), Sheet.Text(criterion.Allowed),
                Sheet.Text(criterion.Waiver is { } waiver ? WaiverView.Text(waiver) : criterion.Fix));
        }

        terminal.Show(sheet);
        var waived = report.Criteria.Count(criterion => criterion.Waiver is not null);
        terminal.Line(report.Open
            ? $"gate: [green]open[/]{(waived == 0 ? "" : $" [yellow]({waived} waived)[/]")}"
            : $"gate: [yellow]closed[/] ({report.Criteria.Count(criterion => criterion.Closes)} of {report.Criteria.Count} criteria do not pass)");
    }

    private static string State(string state) => state switch
    {
        "PASS" => $"[green]{state}[/]",
        "FAIL" => $"[red]{state}[/]",
        _ => $"[yellow]{Sheet.Text(state)}[/]",
    };
}
