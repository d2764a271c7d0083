using System.CommandLine;
using CdcMigrator.Cli.Output;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Service.Api;

namespace CdcMigrator.Cli.Commands;

/// <summary><c>cdcm cutover check</c>.</summary>
internal static class CutoverCommand
{
    public static Command Create(CommandContext context) => new Verb(
        "cutover",
        "Whether the target may take over.",
        ("cdcm cutover check", "what stands in the way"))
    {
        Check(context),
    };

    private static Verb Check(CommandContext context)
    {
        var command = new Verb(
            "check",
            "Shows the gate: every criterion with what is measured, what is allowed and what to do. Exit code: 0 open, 3 closed.",
            ("cdcm cutover check", ""),
            ("cdcm cutover check -o json", "the body of /api/gate, for scripts"));
        context.Handle(command, async call =>
        {
            using var service = call.Connect();
            var (report, _) = await service.GetAsync<GateReport>("/api/gate", call.Cancellation);
            if (call.IsJson)
            {
                call.Terminal.Json(report);
            }
            else
            {
                GateView.Show(call.Terminal, report);
            }

            return report.Open ? ExitCode.Done : ExitCode.Negative;
        });
        return command;
    }
}
