using System.CommandLine;
using CdcMigrator.Cli.Output;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Service.Api;

namespace CdcMigrator.Cli.Commands;

/// <summary><c>cdcm lag</c>.</summary>
internal static class LagCommand
{
    public static Command Create(CommandContext context)
    {
        var by = new Option<string>("--by") { Description = "One row a table or a partition (default table)", HelpName = "table|partition", DefaultValueFactory = _ => "table" };
        by.AcceptOnlyFromAmong("table", "partition");
        var back = new Option<bool>("--back") { Description = "Of the way back, from the target to the source" };
        var command = new Verb(
            "lag",
            "Shows how far the target is behind, the furthest first.",
            ("cdcm lag", "by table"),
            ("cdcm lag --by partition -o json", "every lane, for scripts"))
        {
            by, back,
        };
        context.Handle(command, async call =>
        {
            using var service = call.Connect();
            var (report, _) = await service.GetAsync<LagReport>(call.Value(back) ? "/back/api/lag" : "/api/lag", call.Cancellation);
            if (call.IsJson)
            {
                call.Terminal.Json(report);
            }
            else
            {
                call.Terminal.Show(call.Value(by) == "table" ? LagView.ByTable(report) : LagView.ByPartition(report));
                call.Terminal.Line($"{report.Records:N0} records behind, {report.Seconds:0.0} s");
                if (report.Paused is { } pause)
                {
                    call.Terminal.Line($"[yellow]{Sheet.Text(pause.ToString())}[/]");
                }
            }

            return ExitCode.Done;
        });
        return command;
    }
}
