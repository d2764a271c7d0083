using System.Globalization;
using CdcMigrator.Domain.Status;
using Spectre.Console;

namespace CdcMigrator.Cli.Output;

/// <summary>How our tables look.</summary>
internal static class Sheet
{
    /// <summary>A table with these columns; <c>></c> before a title aligns to the right.</summary>
    public static Table Of(params string[] columns)
    {
        var table = new Table { Border = TableBorder.Simple, ShowRowSeparators = false };
        foreach (var column in columns)
        {
            var right = column.StartsWith('>');
            table.AddColumn(new TableColumn(Markup.Escape(right ? column[1..] : column)) { Alignment = right ? Justify.Right : Justify.Left, NoWrap = right });
        }

        return table;
    }

    public static string Text(string? text) => Markup.Escape(text ?? "–");

    public static string Number(long? value) => value is null or < 0 ? "–" : value.Value.ToString("N0", CultureInfo.InvariantCulture);

    public static string Seconds(double value) => value.ToString("0.0", CultureInfo.InvariantCulture);

    public static string State(LaneState state) => state switch
    {
        LaneState.Running => $"[green]{state}[/]",
        LaneState.Halted => $"[red]{state}[/]",
        _ => $"[yellow]{state}[/]",
    };
}
