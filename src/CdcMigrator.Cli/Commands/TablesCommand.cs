using System.CommandLine;
using CdcMigrator.Cli.Output;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Service.Api;

namespace CdcMigrator.Cli.Commands;

/// <summary><c>cdcm tables [show T|resync T|repair T]</c>.</summary>
internal static class TablesCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new Verb(
            "tables",
            "Shows the tables: snapshot, lag, lanes, copies, findings. Copies a table again, or repairs single rows.",
            ("cdcm tables", "all of them"),
            ("cdcm tables show public.orders", "one, with its findings and faults"),
            ("cdcm tables resync public.orders --yes", "copy it again while changes go on"),
            ("cdcm tables repair public.orders --all-wrong", "write the rows that were found wrong as the source has them"))
        {
            Show(context), Resync(context), RepairCommand.Create(context),
        };
        context.Handle(command, async call =>
        {
            using var service = call.Connect();
            var (report, _) = await service.GetAsync<TablesReport>("/api/tables", call.Cancellation);
            if (call.IsJson)
            {
                call.Terminal.Json(report);
            }
            else
            {
                call.Terminal.Show(TablesView.Of(report.Tables));
            }

            return ExitCode.Done;
        });
        return command;
    }

    private static Verb Show(CommandContext context)
    {
        var table = new Argument<string>("table") { Description = "Source table, as schema.table" };
        var command = new Verb("show", "Shows one table.", ("cdcm tables show public.orders -o json", ""))
        {
            table,
        };
        context.Handle(command, async call =>
        {
            using var service = call.Connect();
            var (report, _) = await service.GetAsync<TablesReport>("/api/tables", call.Cancellation);
            var found = report.Tables.FirstOrDefault(candidate => candidate.Source == call.Value(table)) ?? throw Unknown(report, call.Value(table)!);
            if (call.IsJson)
            {
                call.Terminal.Json(found);
            }
            else
            {
                call.Terminal.Show(TablesView.Of([found]));
                TablesView.Details(call.Terminal, found);
            }

            return ExitCode.Done;
        });
        return command;
    }

    private static Verb Resync(CommandContext context)
    {
        var tables = new Argument<string[]>("tables") { Description = "Source tables, as schema.table", Arity = ArgumentArity.ZeroOrMore };
        var all = new Option<bool>("--all") { Description = "Every table; also puts a log that lost changes back into use" };
        var yes = new Option<bool>("--yes") { Description = "Do not ask: rows of the target that the source no longer has are removed" };
        var wait = new Option<bool>("--wait") { Description = "Return once they are copied, at most --timeout later" };
        var command = new Verb(
            "resync",
            "Has the connector copy tables again while changes go on, then removes rows the source no longer has. Exit code 3: a copy failed, 5: not done in time.",
            ("cdcm tables resync public.orders --yes", ""),
            ("cdcm tables resync --all --yes --wait --timeout 2h", "after the log lost changes"))
        {
            tables, all, yes, wait,
        };
        context.Handle(command, async call =>
        {
            var request = new ResyncRequest(call.Value(tables) ?? [], call.Value(all));
            if (request.All == request.Tables!.Count > 0)
            {
                throw new FaultException(FaultKind.Configuration, "usage", "name tables, or give --all", "'cdcm tables' lists them");
            }

            using var service = call.Connect();
            var (before, _) = await service.GetAsync<TablesReport>("/api/tables", call.Cancellation);
            Confirm(call, before.Migration, call.Value(yes));
            var report = await service.PostAsync<TablesReport>("/api/tables/resync", request, call.Cancellation);
            report = call.Value(wait) ? await WaitAsync(call, service, request) : report;
            if (call.IsJson)
            {
                call.Terminal.Json(report);
            }
            else
            {
                call.Terminal.Show(TablesView.Of(Asked(report, request)));
                call.Terminal.Line(call.Value(wait) ? "" : "next: 'cdcm tables' shows how far it is");
            }

            return Asked(report, request).Any(table => table.Resync?.Phase == "failed") ? ExitCode.Negative : ExitCode.Done;
        });
        return command;
    }

    private static async Task<TablesReport> WaitAsync(Invocation call, ServiceClient service, ResyncRequest request)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var (report, _) = await service.GetAsync<TablesReport>("/api/tables", call.Cancellation);
            if (Asked(report, request).All(table => table.Resync?.Phase is "done" or "failed"))
            {
                return report;
            }

            if (TimeProvider.System.GetElapsedTime(began) > call.Timeout)
            {
                throw new FaultException(FaultKind.TimedOut, "resync-running", $"the copy goes on after {call.Timeout.TotalSeconds:0} s", "'cdcm tables' shows how far it is; --timeout waits longer");
            }

            await Task.Delay(TimeSpan.FromSeconds(1), call.Cancellation);
        }
    }

    private static IEnumerable<TableDetail> Asked(TablesReport report, ResyncRequest request) =>
        report.Tables.Where(table => request.All || request.Tables!.Contains(table.Source));

    /// <summary>A person types the migration's name; a script says --yes.</summary>
    private static void Confirm(Invocation call, string migration, bool yes)
    {
        if (yes)
        {
            return;
        }

        if (!call.Terminal.IsInteractive || Console.IsInputRedirected)
        {
            throw new FaultException(FaultKind.Configuration, "not-confirmed", "Nothing was done, for it is not confirmed that rows of the target that the source no longer has will be removed", "Say --yes");
        }

        call.Terminal.Error.Write($"Rows of the target that the source no longer has will be removed. Type the migration's name to go on: ");
        if (Console.In.ReadLine()?.Trim() != migration)
        {
            throw new FaultException(FaultKind.Configuration, "not-confirmed", "that is not its name; nothing was done");
        }
    }

    private static FaultException Unknown(TablesReport report, string table) => new(
        FaultKind.Configuration, "unknown-table", $"'{table}' is no source table of migration {report.Migration}", $"Its tables: {string.Join(", ", report.Tables.Select(known => known.Source))}");
}
