using System.CommandLine;
using CdcMigrator.Cli.Output;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Preflight;

namespace CdcMigrator.Cli.Commands;

/// <summary><c>cdcm preflight</c>.</summary>
internal static class PreflightCommand
{
    public static Command Create(CommandContext context)
    {
        var file = CommonOptions.File();
        var command = new Verb(
            "preflight",
            "Checks databases, connector settings, topics and registry before a migration. Changes nothing. Exit code 0: nothing is wrong, 3: an error was found, 4: something does not answer, so that not all could be checked.",
            ("cdcm preflight -f migration.yaml", ""),
            ("cdcm preflight -f migration.yaml -o json", "for scripts"))
        {
            file,
        };
        context.Handle(command, async call =>
        {
            var findings = await MigrationPreflight.RunAsync(call.Load(file), call.Cancellation);
            var report = PreflightReport.Of(findings);
            if (call.IsJson)
            {
                call.Terminal.Json(report);
            }
            else
            {
                Show(call.Terminal, report);
            }

            return findings.Any(finding => finding.Unreachable) ? ExitCode.Unreachable : report.Ok ? ExitCode.Done : ExitCode.Negative;
        });
        return command;
    }

    private static void Show(Terminal terminal, PreflightReport report)
    {
        FindingsView.Show(terminal, report.Findings);
        terminal.Line($"{FindingsView.Counts(report.Findings)}: {(report.Ok ? "ready" : "not ready")}");
    }
}
