using CdcMigrator.Service.Api;
using Spectre.Console;

namespace CdcMigrator.Cli.Output;

/// <summary>A self-test for people.</summary>
internal static class SelfTestView
{
    public static Table Of(SelfTestReport report)
    {
        var sheet = Sheet.Of("kind", "what was made wrong", ">seeded", ">found", "verdict");
        foreach (var kind in report.Kinds)
        {
            sheet.AddRow(Sheet.Text(kind.Kind), Sheet.Text(kind.Description), Sheet.Number(kind.Seeded), Sheet.Number(kind.Found), Verdict(kind.Passed, "all found", "MISSED"));
        }

        var control = report.EqualRows;
        sheet.AddRow("control", "nothing: equal rows, extreme values among them", Sheet.Number(control.Compared), Sheet.Number(control.Reported), Verdict(control.Reported == 0, "none reported", "FALSELY REPORTED"));
        return sheet;
    }

    /// <summary>What was missed, and what it means.</summary>
    public static void Details(Terminal terminal, SelfTestReport report)
    {
        foreach (var kind in report.Kinds.Where(kind => !kind.Passed))
        {
            terminal.Line($"{Sheet.Text(kind.Kind)} missed: {Sheet.Text(string.Join("; ", kind.Missed))}{(kind.Seeded - kind.Found > kind.Missed.Count ? "; …" : "")}");
        }

        terminal.Line($"source {Sheet.Text(report.SourceVersion)}, target {Sheet.Text(report.TargetVersion)}, rows hashed {(report.Hashing == "database" ? "in the databases" : "here")}: "
            + (report.Passed ? "[green]comparing finds what is wrong, and nothing else[/]" : "[red]comparing between these servers cannot be relied on[/]"));
    }

    private static string Verdict(bool good, string yes, string no) => good ? $"[green]{yes}[/]" : $"[red]{no}[/]";
}
