using CdcMigrator.Cutover.Advising;
using CdcMigrator.Service.Api;
using Spectre.Console;

namespace CdcMigrator.Cli.Output;

/// <summary>Advice for people: what to do, and the rules that led there, the deciding one first.</summary>
internal static class AdviceView
{
    public static void Show(Terminal terminal, AdviceReport report)
    {
        terminal.Line($"{Sheet.Text(report.Migration)}: [bold]{Text(report.Advice)}[/]");
        var sheet = Sheet.Of("rule", "says", "because", "what to do");
        foreach (var rule in report.Rules)
        {
            sheet.AddRow(Sheet.Text(rule.Name), Text(rule.Says), Sheet.Text(rule.Because), Sheet.Text(rule.Do));
        }

        terminal.Show(sheet);
        foreach (var what in report.NotKnown)
        {
            terminal.Line($"[yellow]not known:[/] {Sheet.Text(what)}");
        }
    }

    private static string Text(AdviceKind kind) => kind switch
    {
        AdviceKind.Wait => "go on waiting",
        AdviceKind.Mend => "[yellow]stay, and mend[/]",
        AdviceKind.CutOver => "[green]cut over now[/]",
        AdviceKind.Abort => "[red]abort[/]",
        AdviceKind.RollBack => "[red]roll back now[/]",
        AdviceKind.Complete => "[green]complete[/]",
        _ => "nothing to do",
    };
}
