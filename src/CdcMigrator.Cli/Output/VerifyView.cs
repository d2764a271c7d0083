using CdcMigrator.Service.Api;
using Spectre.Console;

namespace CdcMigrator.Cli.Output;

/// <summary>Comparisons for people.</summary>
internal static class VerifyView
{
    public static Table Of(VerifyReport report)
    {
        var sheet = Sheet.Of("source", "target", "verdict", ">rows compared", ">of about", ">on their way", ">wrong", "reason");
        foreach (var table in report.Tables)
        {
            sheet.AddRow(
                Sheet.Text(table.Source), Sheet.Text(table.Target), Sheet.Text(table.Verdict?.ToString() ?? "running"), Sheet.Number(table.RowsCompared), Sheet.Number(table.RowsEstimated),
                Sheet.Number(table.InFlight), Sheet.Number(table.Wrong), Sheet.Text(table.Reason));
        }

        return sheet;
    }

    public static Table Of(VerifyListReport report)
    {
        var sheet = Sheet.Of(">run", "state", "verdict", "asked for", "ended", ">tables", ">rows compared", ">wrong");
        foreach (var run in report.Runs)
        {
            sheet.AddRow(
                Sheet.Number(run.RunId), Sheet.Text(run.State), Sheet.Text(run.Verdict.ToString()), Sheet.Text($"{run.RequestedAt:u}"), Sheet.Text(run.FinishedAt is { } ended ? $"{ended:u}" : null),
                Sheet.Number(run.Tables.Count), Sheet.Number(run.Tables.Sum(table => table.RowsCompared)), Sheet.Number(run.Tables.Sum(table => table.Wrong)));
        }

        return sheet;
    }

    /// <summary>The wrong rows, and what to do.</summary>
    public static void Details(Terminal terminal, VerifyReport report)
    {
        if (report.Fault is { } fault)
        {
            terminal.Fault(fault.Message, fault.Fix);
        }

        foreach (var table in report.Tables)
        {
            foreach (var row in table.Mismatches)
            {
                var key = string.Join(", ", row.Key.Select(column => $"{column.Key}={column.Value}"));
                terminal.Line($"{Sheet.Text(table.Source)} {Sheet.Text(key)}: {row.Kind}{Sheet.Text(row.Columns.Count == 0 ? "" : $" in {string.Join(", ", row.Columns)}")}{(row.Unlogged ? "; it was equal before, and no change of it came through the log" : "")}");
            }

            if (table.Wrong > table.Mismatches.Count)
            {
                terminal.Line($"{Sheet.Text(table.Source)}: {table.Wrong - table.Mismatches.Count:N0} more");
            }
        }

        if (report.Tables.Any(table => table.Wrong > 0))
        {
            terminal.Line("next: 'cdcm tables repair T --all-wrong' writes the wrong rows as the source has them; 'cdcm tables resync T --yes' copies a table again");
        }
    }
}
