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
        terminal.Line($"[bold]{Grid.Text(status.Migration)}[/]  {status.Phase}  {status.Lag.Records:N0} records, {Grid.Seconds(status.Lag.Seconds)} s behind");
        terminal.Line(
            $"applied: {Grid.Number(status.Applied.Inserts)} inserts, {Grid.Number(status.Applied.Updates)} updates, {Grid.Number(status.Applied.Deletes)} deletes, "
            + $"{Grid.Number(status.Applied.SnapshotRows)} snapshot rows; {Grid.Number(status.Applied.Replays)} replays skipped; {Grid.Number(status.DeadLetters)} dead letters");
        foreach (var fault in status.Faults)
        {
            terminal.Fault($"{fault.Message}{Place(fault)}", fault.Fix);
        }

        if (status.MissingTopics.Count > 0)
        {
            terminal.Line($"[yellow]missing topics:[/] {Grid.Text(string.Join(", ", status.MissingTopics))}");
        }

        ShowLanes(terminal, status.Lanes);
        var tables = Grid.Of("source", "target", "verdict", "verified at", ">rows source", ">rows target", ">dirty keys");
        foreach (var table in status.Tables)
        {
            tables.AddRow(
                Grid.Text(table.Source), Grid.Text(table.Target), Grid.Text(table.Verdict), Grid.Text(table.VerifiedAt?.ToString("u")),
                Grid.Number(table.RowsSource), Grid.Number(table.RowsTarget), Grid.Number(table.DirtyKeys));
        }

        terminal.Show(tables);
        terminal.Line($"gate: {(status.Gate.Open ? "[green]open[/]" : "[yellow]closed[/]")}");
        foreach (var criterion in status.Gate.Criteria)
        {
            terminal.Line($"  {criterion.State,-7} {Grid.Text(criterion.Name)}: {Grid.Text(criterion.Measured)} (allowed {Grid.Text(criterion.Allowed)})");
        }

        foreach (var step in status.NextSteps)
        {
            terminal.Line($"next: {Grid.Text(step)}");
        }
    }

    private static void ShowLanes(Terminal terminal, IReadOnlyList<LaneReport> lanes)
    {
        var grid = Grid.Of("topic", ">partition", ">next offset", ">end offset", ">behind", "state");
        foreach (var lane in lanes.OrderByDescending(lane => lane.State == LaneState.Halted).ThenByDescending(Behind).Take(LanesShown))
        {
            grid.AddRow(
                Grid.Text(lane.Topic), Grid.Number(lane.Partition), Grid.Number(lane.NextOffset), Grid.Number(lane.EndOffset),
                Grid.Number(Behind(lane)), Grid.State(lane.State));
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
