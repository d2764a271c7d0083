using System.Text.Json;
using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Service.Api;
using Spectre.Console;

namespace CdcMigrator.Cli.Output;

/// <summary>The checks beside the rows for people: each kind, and what does not pass.</summary>
internal static class ChecksView
{
    /// <summary>Names of the kinds.</summary>
    public static IReadOnlyList<string> Kinds { get; } = [.. Enum.GetValues<CheckKind>().Select(NameOf)];

    public static string NameOf(CheckKind kind) => JsonNamingPolicy.CamelCase.ConvertName(kind.ToString());

    public static void Show(Terminal terminal, VerifyChecksReport report, bool all)
    {
        if (report.Checks.Count == 0)
        {
            terminal.Line("nothing was checked yet: 'cdcm verify start' begins");
            return;
        }

        var kinds = Sheet.Of("check", "state", "checked at", ">seconds", ">things", "why");
        foreach (var check in report.Checks)
        {
            kinds.AddRow(
                Sheet.Text(NameOf(check.Kind)), State(check.State), Sheet.Text($"{check.At:u}"), Sheet.Seconds(check.Took.TotalSeconds), Sheet.Number(check.Results.Count + check.More), Sheet.Text(check.Fault ?? (check.Changed.Count == 0 ? null : $"not asked since it changed: {string.Join(", ", check.Changed)}")));
        }

        terminal.Show(kinds);
        var shown = report.Checks.SelectMany(check => check.Answers.Where(result => all || result.State != CheckState.Pass).Select(result => (check.Kind, Result: result))).ToList();
        if (shown.Count == 0)
        {
            return;
        }

        var results = Sheet.Of("check", "what", "state", "source", "target", "found", "what to do");
        foreach (var (kind, result) in shown)
        {
            results.AddRow(
                Sheet.Text(NameOf(kind)), Sheet.Text(result.Name), result.State == CheckState.Fail && result.Severity == Severity.Warning ? "[yellow]Warning[/]" : State(result.State),
                Sheet.Text(result.Source), Sheet.Text(result.Target), Sheet.Text(result.Message), Sheet.Text(result.Fix));
        }

        terminal.Show(results);
    }

    private static string State(CheckState state) => state switch
    {
        CheckState.Pass => $"[green]{state}[/]",
        CheckState.InFlight => $"[yellow]{state}[/]",
        _ => $"[red]{state}[/]",
    };
}
