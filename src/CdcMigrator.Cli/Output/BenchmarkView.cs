using System.Globalization;
using CdcMigrator.Domain.Benchmarking;
using Spectre.Console;

namespace CdcMigrator.Cli.Output;

/// <summary>Benchmarks for people.</summary>
internal static class BenchmarkView
{
    public static void Show(Terminal terminal, IReadOnlyList<BenchmarkResult> results)
    {
        var sheet = Sheet.Of("benchmark", "outcome", ">source p50 ms", ">p95", ">target p50 ms", ">p95", ">times", ">allowed", "results", "reason");
        foreach (var result in results)
        {
            var ran = result.Runs > 0;
            sheet.AddRow(
                Sheet.Text(result.Name), Outcome(result.Outcome), Text(ran, result.SourceP50), Text(ran, result.SourceP95), Text(ran, result.TargetP50), Text(ran, result.TargetP95), Text(ran, result.Ratio),
                Text(ran, (double)result.MaxRatio), Sheet.Text(result.Results), Sheet.Text(result.Reason));
        }

        terminal.Show(sheet);
    }

    private static string Text(bool ran, double value) => ran ? value.ToString("0.00", CultureInfo.InvariantCulture) : "–";

    private static string Outcome(BenchmarkOutcome outcome) => outcome switch
    {
        BenchmarkOutcome.Passed => $"[green]{outcome}[/]",
        BenchmarkOutcome.Skipped => $"[grey]{outcome}[/]",
        _ => $"[red]{outcome}[/]",
    };
}
