using CdcMigrator.Service.Api;
using Spectre.Console;

namespace CdcMigrator.Cli.Output;

/// <summary>Tables for people.</summary>
internal static class TablesView
{
    public static Table Of(IEnumerable<TableDetail> tables)
    {
        var sheet = Sheet.Of("source", "target", "snapshot", ">snapshot rows", ">behind", "lanes", "resync", ">removed", ">findings", "verdict");
        foreach (var table in tables)
        {
            sheet.AddRow(
                Sheet.Text(table.Source), Sheet.Text(table.Target), Sheet.Text(table.Snapshot), Sheet.Number(table.SnapshotRows), Sheet.Number(table.Behind),
                Sheet.Text(string.Join(", ", table.Lanes.Select(state => $"{state.Value} {state.Key}"))), Sheet.Text(table.Resync?.Phase), Sheet.Number(table.Resync?.Removed),
                Sheet.Number(table.Findings.Count + table.Faults.Count), Sheet.Text(table.Verdict));
        }

        return sheet;
    }

    /// <summary>What is wrong with one table.</summary>
    public static void Details(Terminal terminal, TableDetail table)
    {
        foreach (var (message, fix) in table.Faults.Select(fault => (fault.Message, fault.Fix)).Concat(table.Findings.Select(finding => (finding.Message, finding.Fix))))
        {
            terminal.Fault(message, fix);
        }

        if (table.Resync is { } resync)
        {
            terminal.Line($"resync {Sheet.Text(resync.Phase)}: asked for {resync.RequestedAt:u}, moved {resync.UpdatedAt:u}, {resync.Removed:N0} rows removed{Sheet.Text(resync.Fault is null ? "" : $": {resync.Fault}")}");
        }
    }
}
