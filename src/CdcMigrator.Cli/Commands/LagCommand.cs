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
        var command = new Verb(
            "lag",
            "Shows how far the target is behind, the furthest first.",
            ("cdcm lag", "by table"),
            ("cdcm lag --by partition -o json", "every lane, for scripts"))
        {
            by,
        };
        context.Handle(command, async call =>
        {
            using var service = call.Connect();
            var (report, _) = await service.GetAsync<LagReport>("/api/lag", call.Cancellation);
            if (call.IsJson)
            {
                call.Terminal.Json(report);
            }
            else
            {
                call.Terminal.Show(call.Value(by) == "table" ? LagView.ByTable(report) : LagView.ByPartition(report));
                call.Terminal.Line($"{report.Records:N0} records behind, {report.Seconds:0.0} s");
            }

            return ExitCode.Done;
        });
        return command;
    }
}
