using CdcMigrator.Cli.Output;

namespace CdcMigrator.Cli.Demo;

/// <summary>The outcome of a demo: one object for scripts, a summary for people.</summary>
internal static class DemoView
{
    public static void Show(Invocation call, DemoReport report)
    {
        if (call.IsJson)
        {
            call.Terminal.Json(report);
            return;
        }

        var terminal = call.Terminal;
        terminal.Line();
        foreach (var row in report.MismatchedRows)
        {
            terminal.Line($"[red]{row.Kind}[/] {Sheet.Text(row.Table)} {Sheet.Text(string.Join(", ", row.Key.Select(column => $"{column.Key}={column.Value}")))} {Sheet.Text(string.Join(", ", row.Columns))}");
        }

        terminal.Line($"rows applied {report.RowsApplied:N0}, rows compared {report.RowsCompared:N0}, mismatches {report.Mismatches:N0}");
        terminal.Line($"acknowledged writes {report.AcknowledgedWrites:N0}, lost {report.LostWrites:N0}, wrong rows {report.WrongRows:N0} of {report.OwnedRows:N0}; service restarts {report.ServiceRestarts}");
        terminal.Line($"write outage as the writers saw it: [bold]{report.WriteOutageMs:N0} ms[/] (longest for one writer {report.LongestWriterOutageMs:N0} ms)"
            + (report.RolledBack ? $"; of the way back: [bold]{report.RollbackOutageMs:N0} ms[/]" : ""));
        terminal.Line(report.Ok ? "[green]nothing is lost[/]" : "[red]NOT ok[/]");
        if (report.Running is { } running)
        {
            ShowRunning(terminal, running);
        }
    }

    private static void ShowRunning(Terminal terminal, DemoLeftovers running)
    {
        terminal.Line();
        terminal.Line("left running:");
        foreach (var (what, how) in new[]
        {
            ("status page", running.StatusPage), ("folder", running.Folder), ("source", $"psql {running.Source}"), ("target", $"psql {running.Target} (takes writes of the applier only)"),
            ("kill service", $"kill -9 {running.ServicePid}"), ("start it", running.StartService), ("end it all", running.StopAll),
        })
        {
            terminal.Line($"  {what,-12} {Sheet.Text(how)}");
        }
    }
}
