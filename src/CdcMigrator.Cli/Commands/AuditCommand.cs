using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using CdcMigrator.Cli.Output;
using CdcMigrator.Domain.Auditing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Auditing;
using Spectre.Console;

namespace CdcMigrator.Cli.Commands;

/// <summary><c>cdcm audit</c>.</summary>
internal static class AuditCommand
{
    public static Command Create(CommandContext context)
    {
        var file = CommonOptions.File();
        var report = new Option<string?>("--report") { Description = "Also write the audit to a file: JSON where its name ends with .json, else Markdown; - for Markdown on standard output", HelpName = "file" };
        var reading = new AuditReading();
        var command = new Verb(
            "audit",
            "Surveys the source: tables, values, keys, foreign keys, the server. Reads only, each table once. Exit code 0: nothing is wrong, 3: an error was found or a table could not be read, 4: the source does not answer.",
            ("cdcm audit -f migration.yaml", ""),
            ("cdcm audit -f migration.yaml --report audit.md", "as Markdown, to be read by others"),
            ("cdcm audit -f migration.yaml -o json > audit.json", "for scripts, and for 'cdcm plan --audit audit.json'"))
        {
            file, report,
        };
        reading.AddTo(command);
        context.Handle(command, async call =>
        {
            var audit = await reading.RunAsync(call, call.Load(file));
            var document = AuditDocument.Of(audit);
            if (call.Value(report) is { } path)
            {
                Documents.Write(call, path, path.EndsWith(".json", StringComparison.OrdinalIgnoreCase) ? JsonSerializer.Serialize(document, ApiJson.Options) + "\n" : AuditMarkdown.Render(audit));
            }

            if (call.IsJson)
            {
                call.Terminal.Json(document);
            }
            else
            {
                Show(call.Terminal, audit, document);
            }

            return audit is { Ok: true, IsComplete: true } ? ExitCode.Done : ExitCode.Negative;
        });
        return command;
    }

    private static void Show(Terminal terminal, AuditReport audit, AuditDocument document)
    {
        var sheet = Sheet.Of("table", ">rows", ">bytes", "key", ">writes/s", ">errors", ">warnings");
        foreach (var table in audit.Tables)
        {
            var findings = document.Findings.Where(finding => finding.Table == table.Table).ToList();
            sheet.AddRow(
                Sheet.Text(table.Table), Sheet.Number(table.Rows), Sheet.Number(table.Bytes), Sheet.Text(table.Key.Count == 0 ? null : string.Join(", ", table.Key)),
                table.WritesPerSecond?.ToString("0.##", CultureInfo.InvariantCulture) ?? "–",
                Sheet.Number(findings.Count(finding => finding.Severity == "error")), Sheet.Number(findings.Count(finding => finding.Severity == "warning")));
        }

        terminal.Show(sheet);
        FindingsView.Show(terminal, document.Findings);
        foreach (var table in audit.Tables.Where(table => table.NotProfiled is not null))
        {
            terminal.Line($"not profiled: {table.Table}: {table.NotProfiled}");
        }

        if (audit.Measured is { } rates)
        {
            terminal.Line(string.Create(CultureInfo.InvariantCulture, $"{rates.WritesPerSecond:0.##} rows were written a second meanwhile, measured over {rates.Seconds:0.#} s"));
        }

        terminal.Line($"{FindingsView.Counts(document.Findings)}; {audit.Tables.Count} tables in {audit.Seconds.ToString("0.0", CultureInfo.InvariantCulture)} s");
    }
}
