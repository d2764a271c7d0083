using CdcMigrator.Service.Api;
using Spectre.Console;

namespace CdcMigrator.Cli.Output;

/// <summary>Lag as tables.</summary>
internal static class LagView
{
    public static Table ByTable(LagReport report)
    {
        var table = Grid.Of("table", "topic", ">partitions", ">records", ">seconds");
        foreach (var row in report.Tables)
        {
            table.AddRow(Grid.Text(row.Table), Grid.Text(row.Topic), Grid.Number(row.Partitions), Grid.Number(row.Records), Grid.Seconds(row.Seconds));
        }

        return table;
    }

    public static Table ByPartition(LagReport report)
    {
        var table = Grid.Of("topic", ">partition", ">next offset", ">end offset", ">records", ">seconds", "state");
        foreach (var row in report.Partitions)
        {
            table.AddRow(
                Grid.Text(row.Topic), Grid.Number(row.Partition), Grid.Number(row.NextOffset), Grid.Number(row.EndOffset),
                Grid.Number(row.Records), Grid.Seconds(row.Seconds), Grid.State(row.State));
        }

        return table;
    }
}
