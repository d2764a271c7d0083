using System.CommandLine;
using CdcMigrator.Cli.Output;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Service.Api;

namespace CdcMigrator.Cli.Commands;

/// <summary><c>cdcm tables repair T</c>.</summary>
internal static class RepairCommand
{
    public static Command Create(CommandContext context)
    {
        var table = new Argument<string>("table") { Description = "Source table, as schema.table" };
        var keys = new Option<string[]>("--key") { Description = "A row by its key, as 'verify show' lists it (id=7), or its values joined by commas; may be repeated", HelpName = "key" };
        var all = new Option<bool>("--all-wrong") { Description = "All rows that comparisons found wrong" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Write nothing: say what would be written, and what stays and why" };
        var command = new Verb(
            "repair",
            "Writes rows that comparisons found wrong as the source has them, while changes go on; never over a newer change. Kept in cdc_migrator.journal: who, when, which rows. Exit code 3 where some stay, with the reason.",
            ("cdcm tables repair public.orders --all-wrong --dry-run", "what it would do"),
            ("cdcm tables repair public.orders --key id=7", "one row"))
        {
            table, keys, all, dryRun,
        };
        context.Handle(command, async call =>
        {
            var request = new RepairRequest(
                call.Value(table), call.Value(keys) is { Length: > 0 } named ? named : null, call.Value(all), call.Value(dryRun), $"{Environment.UserName}@{Environment.MachineName}");
            if (request.AllWrong == request.Keys is not null)
            {
                throw new FaultException(FaultKind.Configuration, "usage", request.AllWrong ? "only one of --key and --all-wrong can be given" : "it must be said which rows are meant",
                    "Give --key or --all-wrong; 'cdcm verify show' lists the wrong rows");
            }

            using var service = call.Connect();
            var report = await service.PostAsync<RepairReport>("/api/tables/repair", request, call.Cancellation);
            while (report.Next is { } next)
            {
                var more = await service.PostAsync<RepairReport>("/api/tables/repair", request with { After = next }, call.Cancellation);
                report = more with { Repaired = report.Repaired + more.Repaired, Remaining = report.Remaining + more.Remaining, Rows = [.. report.Rows, .. more.Rows] };
            }

            if (call.IsJson)
            {
                call.Terminal.Json(report);
            }
            else
            {
                RepairView.Show(call.Terminal, report);
            }

            return report.Remaining == 0 && !(request.AllWrong && report.Truncated) ? ExitCode.Done : ExitCode.Negative;
        });
        return command;
    }
}
