using System.CommandLine;
using System.Net;
using CdcMigrator.Domain.Faults;

namespace CdcMigrator.Cli.Commands;

/// <summary><c>cdcm health</c>: the container's health check, which needs no curl.</summary>
internal static class HealthCommand
{
    public static Command Create(CommandContext context)
    {
        var check = new Argument<string>("check") { Description = "live, ready or startup (default ready)", HelpName = "live|ready|startup", DefaultValueFactory = _ => "ready" };
        check.AcceptOnlyFromAmong("live", "ready", "startup");
        var command = new Verb(
            "health",
            "Asks the service how it is. Exit code 0: well, 3: not well, 4: no answer.",
            ("cdcm health", "in a container's health check"),
            ("cdcm health live", "whether the process should be restarted"))
        {
            check,
        };
        context.Handle(command, async call =>
        {
            using var service = call.Connect();
            var (status, body) = await service.SendAsync($"/healthz/{call.Value(check)}", call.Cancellation);
            (call.IsJson ? call.Terminal.Out : call.Terminal.Error).WriteLine(body.Trim());
            return status == HttpStatusCode.OK ? ExitCode.Done : ExitCode.Negative;
        });
        return command;
    }
}
