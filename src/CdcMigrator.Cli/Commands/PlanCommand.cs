using System.CommandLine;
using CdcMigrator.Cli.Output;
using CdcMigrator.Cutover.Planning;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Service.Auditing;
using CdcMigrator.Service.Configuration;

namespace CdcMigrator.Cli.Commands;

/// <summary><c>cdcm plan</c>.</summary>
internal static class PlanCommand
{
    public static Command Create(CommandContext context)
    {
        var file = CommonOptions.File();
        var audit = new Option<string?>("--audit") { Description = "An audit written as JSON; without it one is made", HelpName = "file" };
        var runbook = new Option<string?>("--runbook") { Description = "Write the runbook to a file, as Markdown; - for standard output", HelpName = "file" };
        var report = new Option<string?>("--report") { Description = "Write the plan to a file, as Markdown; - for standard output", HelpName = "file" };
        var downtime = new Option<TimeSpan?>("--downtime")
        {
            Description = "Longest time the application may go without writing (default: cutover.budget of the file)",
            HelpName = "duration",
            CustomParser = result =>
            {
                if (Durations.TryParse(result.Tokens[0].Value, out var value) && value > TimeSpan.Zero)
                {
                    return value;
                }

                result.AddError($"--downtime is '{result.Tokens[0].Value}' but must be {Durations.Form}");
                return null;
            },
        };
        var noRollback = new Option<bool>("--no-rollback") { Description = "A way back after the cutover is not wanted" };
        var change = new Option<bool>("--change-application") { Description = "The application's code can be changed for the move" };
        var reading = new AuditReading();
        var command = new Verb(
            "plan",
            "Proposes how to move the source: strategies scored with their reasons, times and sizes, groups of tables, risks; and the runbook. Exit code 0, also where errors of the audit have to be mended first.",
            ("cdcm plan -f migration.yaml --runbook runbook.md", ""),
            ("cdcm plan -f migration.yaml --audit audit.json --downtime 2h", "from an audit made before, with two hours allowed"))
        {
            file, audit, runbook, report, downtime, noRollback, change,
        };
        reading.AddTo(command);
        context.Handle(command, async call =>
        {
            var definition = call.Load(file);
            var surveyed = call.Value(audit) is { } path ? AuditFile.Load(path, definition.Name) : await reading.RunAsync(call, definition);
            var plan = Planner.Of(
                surveyed,
                new PlanWishes { Downtime = call.Value(downtime) ?? definition.Cutover.Budget, Rollback = !call.Value(noRollback), CanChangeApplication = call.Value(change) },
                new UnitCosts(),
                definition.Tables.Where(table => table.OnePartition).Select(table => table.Source.ToString()).ToHashSet(StringComparer.Ordinal));
            if (call.Value(runbook) is { } book)
            {
                Documents.Write(call, book, Runbook.Render(plan, call.Value(file)!));
            }

            if (call.Value(report) is { } written)
            {
                Documents.Write(call, written, PlanMarkdown.Render(plan));
            }

            if (call.IsJson)
            {
                call.Terminal.Json(plan);
            }
            else
            {
                PlanView.Show(call.Terminal, plan);
            }

            return ExitCode.Done;
        });
        return command;
    }
}
