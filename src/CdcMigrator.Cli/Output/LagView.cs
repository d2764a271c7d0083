using CdcMigrator.Service.Api;
using Spectre.Console;

namespace CdcMigrator.Cli.Output;

/// <summary>Lag as tables.</summary>
internal static class LagView
{
    public static Table ByTable(LagReport report)
    {
        var table = Sheet.Of("table", "topic", ">partitions", ">records", ">seconds");
        foreach (var row in report.Tables)
        {
            table.AddRow(Sheet.Text(row.Table), Sheet.Text(row.Topic), Sheet.Number(row.Partitions), Sheet.Number(row.Records), Sheet.Seconds(row.Seconds));
        }

        return table;
    }

    public static Table ByPartition(LagReport report)
    {
        var table = Sheet.Of("topic", ">partition", ">next offset", ">end offset", ">records", ">seconds", "state");
        foreach (var row in report.Partitions)
        {
            table.AddRow(
                Sheet.Text(row.Topic), Sheet.Number(row.Partition), Sheet.Number(row.NextOffset), Sheet.Number(row.EndOffset),
                Sheet.Number(row.Records), Sheet.Seconds(row.Seconds), Sheet.State(row.State));
        }

        return table;
    }
}
