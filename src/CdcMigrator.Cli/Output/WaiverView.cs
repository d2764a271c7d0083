using CdcMigrator.Service.Api;
using Spectre.Console;

namespace CdcMigrator.Cli.Output;

/// <summary>Waivers for people.</summary>
internal static class WaiverView
{
    /// <summary>Who waived a criterion, why and until when, in one line.</summary>
    public static string Text(WaiverReport waiver) => $"waived by {waiver.By}{(waiver.Until is { } until ? $" until {until:u}" : "")}: {waiver.Reason}";

    public static void Show(Terminal terminal, WaiversReport report)
    {
        if (report.Waivers.Count == 0)
        {
            terminal.Line("nothing is waived");
        }
        else
        {
            var sheet = Sheet.Of("criterion", "state", "by", "since", "until", "reason", "what is waived");
            foreach (var waiver in report.Waivers)
            {
                sheet.AddRow(
                    Sheet.Text(waiver.Criterion), State(waiver.State), Sheet.Text(waiver.By), Sheet.Text(waiver.At.ToString("u")), Sheet.Text(waiver.Until?.ToString("u")), Sheet.Text(waiver.Reason),
                    Sheet.Text(waiver.Measured));
            }

            terminal.Show(sheet);
        }

        terminal.Line($"gate: {(report.GateOpen ? "[green]open[/]" : "[yellow]closed[/]")}");
    }

    private static string State(WaiverState state) => state switch
    {
        WaiverState.InForce => "[yellow]in force[/]",
        WaiverState.FoundOtherwise => "[red]something else is found now[/]",
        WaiverState.Expired => "expired",
        _ => "not needed",
    };
}
