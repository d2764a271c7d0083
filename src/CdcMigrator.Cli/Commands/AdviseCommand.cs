using System.CommandLine;
using CdcMigrator.Cli.Output;
using CdcMigrator.Cutover.Advising;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Service.Api;

namespace CdcMigrator.Cli.Commands;

/// <summary><c>cdcm advise</c>.</summary>
internal static class AdviseCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new Verb(
            "advise",
            "Says what to do now: wait, mend, cut over, abort, roll back or complete, with every rule that led there. Goes by both directions, the gate, the window's findings and the benchmarks; changes nothing. Rolling back is "
            + "advised only where the way back is proven. Exit code: 0, or 3 where the advice is to roll back or to abort.",
            ("cdcm advise", ""), ("cdcm advise -o json | jq -r .advice", "for scripts"));
        context.Handle(command, async call =>
        {
            using var service = call.Connect();
            var (report, _) = await service.GetAsync<AdviceReport>("/api/advice", call.Cancellation);
            if (call.IsJson)
            {
                call.Terminal.Json(report);
            }
            else
            {
                AdviceView.Show(call.Terminal, report);
            }

            return report.Advice is AdviceKind.RollBack or AdviceKind.Abort ? ExitCode.Negative : ExitCode.Done;
        });
        return command;
    }
}
