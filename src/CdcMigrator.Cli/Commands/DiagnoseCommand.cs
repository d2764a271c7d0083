using System.CommandLine;
using CdcMigrator.Cli.Output;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Diagnosing;

namespace CdcMigrator.Cli.Commands;

/// <summary><c>cdcm diagnose</c>.</summary>
internal static class DiagnoseCommand
{
    public static Command Create(CommandContext context)
    {
        var file = CommonOptions.File();
        var command = new Verb(
            "diagnose",
            "Shows what waits for whom, and the command that helps: both fences, attempts and leases, who holds the fence's locks, holes in a closed side's fence, lanes, slots, the connectors of both directions. "
            + "Changes nothing; works without a service. Exit code 0: nothing is wrong, 3: something is.",
            ("cdcm diagnose -f migration.yaml", ""),
            ("cdcm diagnose -f migration.yaml -o json | jq '.entries[] | {code, fix}'", "for scripts"))
        {
            file,
        };
        context.Handle(command, async call =>
        {
            var definition = call.Load(file);
            var (forward, back, fault) = await AskServiceAsync(call, definition);
            var report = await MigrationDiagnosis.RunAsync(definition, forward, back, fault, call.Cancellation);
            if (call.IsJson)
            {
                call.Terminal.Json(report);
            }
            else
            {
                Show(call.Terminal, report);
            }

            return report.Ok ? ExitCode.Done : ExitCode.Negative;
        });
        return command;
    }

    /// <summary>A service that does not answer is a finding like any other; one of another migration says nothing about this one.</summary>
    private static async Task<(StatusReport? Forward, StatusReport? Back, Fault? Fault)> AskServiceAsync(Invocation call, MigrationDefinition definition)
    {
        using var service = call.Connect();
        StatusReport forward;
        try
        {
            (forward, _) = await service.GetAsync<StatusReport>("/api/status", call.Cancellation);
        }
        catch (FaultException exception)
        {
            return (null, null, exception.Fault);
        }

        if (forward.Migration != definition.Name)
        {
            return (null, null, new Fault(FaultKind.Configuration, "another-migration", $"the service at {call.Server} runs migration {forward.Migration}"));
        }

        try
        {
            return (forward, definition.Source.Kind == SourceKind.PostgreSql ? (await service.GetAsync<StatusReport>("/back/api/status", call.Cancellation)).Value : null, null);
        }
        catch (FaultException)
        {
            return (forward, null, null);
        }
    }

    private static void Show(Terminal terminal, DiagnosisReport report)
    {
        terminal.Line($"source: {Sheet.Text(report.Source?.State.ToString().ToLowerInvariant() ?? "no fence known")}, target: {Sheet.Text(report.Target?.State.ToString().ToLowerInvariant() ?? "no fence known")}");
        foreach (var entry in report.Entries)
        {
            var colour = entry.Severity switch { "error" => "red", "warning" => "yellow", _ => "grey" };
            terminal.Line($"[{colour}]{entry.Severity.ToUpperInvariant(),-7}[/] {Sheet.Text(entry.Code)}: {Sheet.Text(entry.Waits)}{(entry.For.Length > 0 ? $" ← {Sheet.Text(entry.For)}" : "")}");
            if (entry.Fix.Length > 0)
            {
                terminal.Line($"        {Sheet.Text(entry.Fix)}");
            }
        }

        terminal.Line(report.Ok ? "nothing is wrong" : "something is wrong");
    }
}
