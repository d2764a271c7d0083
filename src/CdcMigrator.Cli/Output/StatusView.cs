using CdcMigrator.Domain.Status;
using CdcMigrator.Service.Api;
using Spectre.Console;

namespace CdcMigrator.Cli.Output;

/// <summary>The status for people: the summary, what is wrong, lanes that are not simply up to date, tables, next steps.</summary>
internal static class StatusView
{
    private const int LanesShown = 20;

    public static void Show(Terminal terminal, StatusReport status)
    {
        terminal.Line($"[bold]{Sheet.Text(status.Migration)}[/]  {status.Phase}  {status.Lag.Records:N0} records, {Sheet.Seconds(status.Lag.Seconds)} s behind");
        terminal.Line(
            $"applied: {Sheet.Number(status.Applied.Inserts)} inserts, {Sheet.Number(status.Applied.Updates)} updates, {Sheet.Number(status.Applied.Deletes)} deletes, "
            + $"{Sheet.Number(status.Applied.SnapshotRows)} snapshot rows; {Sheet.Number(status.Applied.Replays)} replays skipped; {Sheet.Number(status.DeadLetters)} dead letters");
        if (status.Writes is { } side)
        {
            terminal.Line($"applications write to: [bold]{(side == "none" ? "neither side, an attempt is under way" : $"the {Sheet.Text(side)}")}[/]");
        }

        if (status.Paused is { } pause)
        {
            terminal.Line($"[yellow]{Sheet.Text(pause.ToString())}[/]");
        }

        foreach (var fault in status.Faults)
        {
            terminal.Fault($"{fault.Message}{Place(fault)}", fault.Fix);
        }

        foreach (var finding in status.Findings)
        {
            terminal.Line($"[{(finding.Severity == "error" ? "red" : "yellow")}]{finding.Severity.ToUpperInvariant()}[/] {Sheet.Text(finding.Code)}: {Sheet.Text(finding.Message)}");
            terminal.Line($"        {Sheet.Text(finding.Fix)}");
        }

        if (status.MissingTopics.Count > 0)
        {
            terminal.Line($"[yellow]missing topics:[/] {Sheet.Text(string.Join(", ", status.MissingTopics))}");
        }

        ShowLanes(terminal, status.Lanes);
        var tables = Sheet.Of("source", "target", "verdict", "verified at", ">rows source", ">rows target", ">dirty keys");
        foreach (var table in status.Tables)
        {
            tables.AddRow(
                Sheet.Text(table.Source), Sheet.Text(table.Target), Sheet.Text(table.Verdict), Sheet.Text(table.VerifiedAt?.ToString("u")),
                Sheet.Number(table.RowsSource), Sheet.Number(table.RowsTarget), Sheet.Number(table.DirtyKeys));
        }

        terminal.Show(tables);
        terminal.Line($"gate: {(status.Gate.Open ? "[green]open[/]" : "[yellow]closed[/]")}");
        foreach (var criterion in status.Gate.Criteria)
        {
            terminal.Line($"  {criterion.State,-7} {Sheet.Text(criterion.Name)}: {Sheet.Text(criterion.Measured)} (allowed {Sheet.Text(criterion.Allowed)}){(criterion.Waiver is { } waiver ? $"; {Sheet.Text(WaiverView.Text(waiver))}" : "")}");
        }

        foreach (var step in status.NextSteps)
        {
            terminal.Line($"next: {Sheet.Text(step)}");
        }
    }

    private static void ShowLanes(Terminal terminal, IReadOnlyList<LaneReport> lanes)
    {
        var grid = Sheet.Of("topic", ">partition", ">next offset", ">end offset", ">behind", "state");
        foreach (var lane in lanes.OrderByDescending(lane => lane.State == LaneState.Halted).ThenByDescending(Behind).Take(LanesShown))
        {
            grid.AddRow(
                Sheet.Text(lane.Topic), Sheet.Number(lane.Partition), Sheet.Number(lane.NextOffset), Sheet.Number(lane.EndOffset),
                Sheet.Number(Behind(lane)), Sheet.State(lane.State));
        }

        terminal.Show(grid);
        if (lanes.Count > LanesShown)
        {
            terminal.Line($"… and {lanes.Count - LanesShown} lanes more: cdcm lag --by partition");
        }
    }

    private static long Behind(LaneReport lane) => lane.NextOffset >= 0 && lane.EndOffset > lane.NextOffset ? lane.EndOffset - lane.NextOffset : 0;

    private static string Place(FaultReport fault)
    {
        var parts = new[]
        {
            fault.Table is null ? null : $"table {fault.Table}",
            fault.Key is null ? null : $"key {fault.Key}",
            fault.Topic is null ? null : $"{fault.Topic}[{fault.Partition}]{(fault.Offset is null ? "" : $" offset {fault.Offset}")}",
        }.OfType<string>().ToList();
        return parts.Count == 0 ? "" : $" ({string.Join(", ", parts)})";
    }
}
