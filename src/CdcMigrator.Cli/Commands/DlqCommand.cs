using System.CommandLine;
using CdcMigrator.Cli.Output;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Service.Api;

namespace CdcMigrator.Cli.Commands;

/// <summary><c>cdcm dlq list|show|retry|discard</c>.</summary>
internal static class DlqCommand
{
    public static Command Create(CommandContext context) => new Verb(
        "dlq",
        "Shows, retries and discards dead letters: changes that were put aside because they could not be applied.",
        ("cdcm dlq list", "which rows, and why"),
        ("cdcm dlq retry --all", "once the cause is mended"))
    {
        List(context),
        Show(context),
        Retry(context),
        Discard(context),
    };

    private static Verb List(CommandContext context)
    {
        var table = TableOption("Only those of this source table");
        var limit = new Option<int>("--limit") { Description = "Most dead letters listed (default 100)", HelpName = "n", DefaultValueFactory = _ => 100 };
        var command = new Verb(
            "list",
            "Lists dead letters, oldest first: row, offset, cause. A row's later changes wait behind its first one.",
            ("cdcm dlq list", ""),
            ("cdcm dlq list --table public.orders -o json", "for scripts"))
        {
            table,
            limit,
        };
        context.Handle(command, async call =>
        {
            using var service = call.Connect();
            var chosen = call.Value(table) is { } name ? $"&table={Uri.EscapeDataString(name)}" : "";
            var (report, _) = await service.GetAsync<DeadLettersReport>($"/api/dlq?limit={call.Value(limit)}{chosen}", call.Cancellation);
            if (call.IsJson)
            {
                call.Terminal.Json(report);
            }
            else
            {
                DlqView.List(call.Terminal, report);
            }

            return ExitCode.Done;
        });
        return command;
    }

    private static Verb Show(CommandContext context)
    {
        var id = new Argument<long>("id") { Description = "Id of the dead letter, as listed", HelpName = "id" };
        var command = new Verb(
            "show",
            "Shows a dead letter with its decoded record. This is the one place where values of the row are printed.",
            ("cdcm dlq show 7", ""))
        {
            id,
        };
        context.Handle(command, async call =>
        {
            using var service = call.Connect();
            var (detail, _) = await service.GetAsync<DeadLetterDetail>($"/api/dlq/{call.Value(id)}", call.Cancellation);
            if (call.IsJson)
            {
                call.Terminal.Json(detail);
            }
            else
            {
                DlqView.Show(call.Terminal, detail);
            }

            return ExitCode.Done;
        });
        return command;
    }

    private static Verb Retry(CommandContext context)
    {
        var choice = new DlqChoice("retried, with all dead letters of its row");
        var command = new Verb(
            "retry",
            "Applies the dead letters of the chosen rows in their order, and frees the rows. Exit code 3 where some still cannot be applied: they stay parked, with the new cause.",
            ("cdcm dlq retry 7", "the row of dead letter 7"),
            ("cdcm dlq retry --all", "every row"));
        choice.AddTo(command);
        context.Handle(command, async call =>
        {
            var request = choice.Read(call);
            using var service = call.Connect();
            var report = await service.PostAsync<DeadLetterRetryReport>("/api/dlq/retry", request, call.Cancellation);
            while (report.Next is { } next)
            {
                var more = await service.PostAsync<DeadLetterRetryReport>("/api/dlq/retry", request with { From = next }, call.Cancellation);
                report = new DeadLetterRetryReport(report.Applied + more.Applied, report.Remaining + more.Remaining, [.. report.Rows, .. more.Rows], more.Next);
            }

            if (call.IsJson)
            {
                call.Terminal.Json(report);
            }
            else
            {
                DlqView.Retried(call.Terminal, report);
            }

            return report.Remaining == 0 ? ExitCode.Done : ExitCode.Negative;
        });
        return command;
    }

    private static Verb Discard(CommandContext context)
    {
        var choice = new DlqChoice("discarded; those behind it stay");
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask; required where no terminal is there to answer" };
        var command = new Verb(
            "discard",
            "Gives changes up: they are never applied, and their rows differ from the source until they are repaired. Kept in cdc_migrator.journal: who, when, what. A row without dead letters takes its later changes again.",
            ("cdcm dlq discard 7", "asks for the migration's name"),
            ("cdcm dlq discard --table public.log --yes", "in a script"));
        choice.AddTo(command);
        command.Options.Add(yes);
        context.Handle(command, async call =>
        {
            var request = choice.Read(call);
            using var service = call.Connect();
            await ConfirmAsync(call, service, request, call.Value(yes));
            var report = await service.PostAsync<DeadLetterDiscardReport>("/api/dlq/discard", request, call.Cancellation);
            if (call.IsJson)
            {
                call.Terminal.Json(report);
            }
            else
            {
                DlqView.Discarded(call.Terminal, report);
            }

            return ExitCode.Done;
        });
        return command;
    }

    private static async Task ConfirmAsync(Invocation call, ServiceClient service, DeadLetterRequest request, bool yes)
    {
        if (yes)
        {
            return;
        }

        var (report, _) = await service.GetAsync<DeadLettersReport>("/api/dlq?limit=1", call.Cancellation);
        var what = request.All ? $"all {report.Total} dead letters" : $"the dead letters of {string.Join(", ", Parts(request))}";
        var answer = call.Terminal.Ask($"{what} will never be applied, and their rows will differ from the source until they are repaired. Type the migration's name ({report.Migration}) to go on: ")
            ?? throw new FaultException(FaultKind.Configuration, "not-confirmed", "discarding gives changes up for good, and there is no terminal to ask at", "Add --yes");
        if (answer != report.Migration)
        {
            throw new FaultException(FaultKind.Configuration, "not-confirmed", $"'{answer}' is not the migration's name: nothing was discarded");
        }
    }

    private static IEnumerable<string> Parts(DeadLetterRequest request)
    {
        if (request.Id is { } id)
        {
            yield return $"id {id}";
        }

        if (request.Table is { } table)
        {
            yield return $"table {table}";
        }

        if (request.Key is { } key)
        {
            yield return $"key {key}";
        }
    }

    private static Option<string?> TableOption(string description) => new("--table") { Description = description, HelpName = "schema.table" };

    /// <summary>The options that say which dead letters are meant.</summary>
    private sealed class DlqChoice(string whatBecomesOfIt)
    {
        private readonly Argument<long?> id = new("id")
        {
            Description = $"Id of the dead letter to be {whatBecomesOfIt}",
            HelpName = "id",
            Arity = ArgumentArity.ZeroOrOne,
        };

        private readonly Option<string?> key = new("--key") { Description = "Those of a row: its key as listed, or its values joined by commas", HelpName = "key" };
        private readonly Option<string?> table = TableOption("Those of a source table; with --key of one row of it");
        private readonly Option<bool> all = new("--all") { Description = "All of the migration" };

        public void AddTo(Command command)
        {
            command.Arguments.Add(id);
            command.Options.Add(key);
            command.Options.Add(table);
            command.Options.Add(all);
        }

        public DeadLetterRequest Read(Invocation call)
        {
            var request = new DeadLetterRequest(
                call.Value(id), call.Value(table), call.Value(key), call.Value(all), $"{Environment.UserName}@{Environment.MachineName}");
            var ways = (request.Id is null ? 0 : 1) + (request.Table is null && request.Key is null ? 0 : 1) + (request.All ? 1 : 0);
            return ways == 1
                ? request
                : throw new FaultException(
                    FaultKind.Configuration, "choice", ways == 0 ? "it must be said which dead letters are meant" : "only one of an id, --key and --table, or --all can be given",
                    "Name an id, --key, --table or --all; 'cdcm dlq list' shows what there is");
        }
    }
}
