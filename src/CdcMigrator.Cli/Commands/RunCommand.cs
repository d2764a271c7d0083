using System.CommandLine;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Service;

namespace CdcMigrator.Cli.Commands;

/// <summary><c>cdcm run</c>: the service, and a container's entry point.</summary>
internal static class RunCommand
{
    public static Command Create(CommandContext context)
    {
        var file = CommonOptions.File();
        var command = new Verb(
            "run",
            "Runs the migration: applies changes, and serves status, health and metrics at service.url. SIGTERM or Ctrl-C drains and ends with 0; a second one ends at once.",
            ("cdcm run -f migration.yaml", "start it twice, with different service.url, for standby and scaling out"))
        {
            file,
        };
        context.Handle(command, async call =>
        {
            var definition = call.Load(file);
            var isContainer = call.Environment("DOTNET_RUNNING_IN_CONTAINER") is { Length: > 0 };
            var options = new MigrationServiceOptions
            {
                Logs = call.Terminal.IsInteractive && !isContainer ? LogStyle.Text : LogStyle.Json,
                Verbose = call.Verbose,
            };
            await using var service = await MigrationService.StartAsync(definition, options, call.Cancellation);
            await service.RunAsync(call.Cancellation);
            return ExitCode.Done;
        });
        return command;
    }
}
