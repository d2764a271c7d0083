using CdcMigrator.Domain.Changes;
using CdcMigrator.Service.Api;
using Spectre.Console;

namespace CdcMigrator.Cli.Output;

/// <summary>Dead letters for people.</summary>
internal static class DlqView
{
    public static void List(Terminal terminal, DeadLettersReport report)
    {
        if (report.Total == 0)
        {
            terminal.Line("no dead letters");
            return;
        }

        var sheet = Sheet.Of(">id", "table", "key", "topic", ">partition", ">offset", "code", "cause", "parked at");
        foreach (var letter in report.DeadLetters)
        {
            sheet.AddRow(
                Sheet.Number(letter.Id), Sheet.Text(letter.Table), Sheet.Text(letter.Key), Sheet.Text(letter.Topic), Sheet.Number(letter.Partition), Sheet.Number(letter.Offset),
                Sheet.Text(letter.Code), Sheet.Text(letter.Message), Sheet.Text(letter.ParkedAt.ToString("u")));
        }

        terminal.Show(sheet);
        terminal.Line($"{Sheet.Number(report.Total)} dead letters: {Sheet.Text(string.Join(", ", report.Tables.Select(table => $"{table.Key} {table.Value}")))}");
        if (report.Truncated)
        {
            terminal.Line("… and more: --table, --limit");
        }

        terminal.Line("next: 'cdcm dlq show ID' shows a record; mend the cause, then 'cdcm dlq retry --all'");
    }

    public static void Show(Terminal terminal, DeadLetterDetail detail)
    {
        var letter = detail.DeadLetter;
        terminal.Line($"[bold]dead letter {letter.Id}[/]  {Sheet.Text(letter.Table)} {Sheet.Text(letter.Key)}  {Sheet.Text(letter.Topic)}[[{letter.Partition}]] offset {letter.Offset}");
        terminal.Line($"parked {Sheet.Text(letter.ParkedAt.ToString("u"))}, {Sheet.Number(letter.Bytes)} bytes; the row has {Sheet.Number(detail.OfRow)} in all");
        terminal.Line($"cause: [red]{Sheet.Text(letter.Code)}[/]: {Sheet.Text(letter.Message)}");
        if (detail.Undecodable is { } why)
        {
            terminal.Line($"the record cannot be decoded: {Sheet.Text(why)}");
            terminal.Line($"key: {Sheet.Text(detail.RecordKey)}");
            terminal.Line($"value: {Sheet.Text(detail.RecordValue)}");
        }
        else
        {
            var sheet = Sheet.Of("column", "value");
            foreach (var column in detail.Columns)
            {
                sheet.AddRow(Sheet.Text(column.Name), column.State switch
                {
                    ColumnState.Null => "NULL",
                    ColumnState.Unavailable => "[yellow]not in the record[/]",
                    _ => Sheet.Text(column.Value),
                });
            }

            terminal.Line(Sheet.Text(detail.Operation));
            terminal.Show(sheet);
        }

        foreach (var step in detail.NextSteps)
        {
            terminal.Line($"next: {Sheet.Text(step)}");
        }
    }

    public static void Retried(Terminal terminal, DeadLetterRetryReport report)
    {
        foreach (var row in report.Rows)
        {
            if (row.Fault is { } fault)
            {
                terminal.Fault($"{row.Table} {row.Key}: {fault.Message}; {row.Remaining} dead letters stay parked", fault.Fix);
            }
            else
            {
                terminal.Line($"{Sheet.Text(row.Table)} {Sheet.Text(row.Key)}: [green]{Sheet.Number(row.Applied)} applied[/]");
            }
        }

        terminal.Line($"{Sheet.Number(report.Applied)} applied, {Sheet.Number(report.Remaining)} stay parked");
    }

    public static void Discarded(Terminal terminal, DeadLetterDiscardReport report)
    {
        foreach (var letter in report.Discarded)
        {
            terminal.Line($"{Sheet.Text(letter.Table)} {Sheet.Text(letter.Key)}: dead letter {letter.Id} is discarded");
        }

        terminal.Line($"{report.Discarded.Count} discarded; their rows differ from the source until they are repaired");
    }
}
