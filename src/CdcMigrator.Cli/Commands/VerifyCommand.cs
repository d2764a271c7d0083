using System.CommandLine;
using CdcMigrator.Cli.Output;
using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.SelfTest;

namespace CdcMigrator.Cli.Commands;

/// <summary><c>cdcm verify start|show|list|stop|self-test</c>.</summary>
internal static class VerifyCommand
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    public static Command Create(CommandContext context) => new Verb(
        "verify",
        "Compares source and target row by row while both are written; what is on its way is told from what is wrong.",
        ("cdcm verify start --wait", "compare all tables; exit code 3 unless every row was equal"),
        ("cdcm verify show", "how far it is, and what it found"))
    {
        Start(context), Show(context), Checks(context), List(context), Stop(context), SelfTest(context),
    };

    private static Verb Start(CommandContext context)
    {
        var tables = new Argument<string[]>("tables") { Description = "Source tables, as schema.table; all where none is named", Arity = ArgumentArity.ZeroOrMore };
        var wait = new Option<bool>("--wait") { Description = "Return once it is over, at most --timeout later" };
        var command = new Verb(
            "start",
            "Begins a full comparison of tables. Exit code with --wait: 0 every row was equal, 3 not so, 5 not over in time.",
            ("cdcm verify start --wait --timeout 2h", ""),
            ("cdcm verify start public.orders", "returns at once; 'cdcm verify show' tells the rest"))
        {
            tables, wait,
        };
        context.Handle(command, async call =>
        {
            using var service = call.Connect();
            var named = call.Value(tables) ?? [];
            var report = await service.PostAsync<VerifyReport>("/api/verify", new VerifyRequest(named.Length == 0 ? null : named, named.Length == 0), call.Cancellation);
            report = call.Value(wait) ? await WaitAsync(call, service, report) : report;
            Print(call, report, FormatOf(call, null));
            return ExitOf(report, call.Value(wait));
        });
        return command;
    }

    private static Verb Show(CommandContext context)
    {
        var format = Format();
        var run = new Argument<long?>("run") { Description = "Number of the comparison; the last one where it is left out", Arity = ArgumentArity.ZeroOrOne };
        var command = new Verb("show", "Shows a comparison: verdicts, wrong rows, progress. Exit code: 3 unless every row was equal.", ("cdcm verify show 3 -o json", ""), ("cdcm verify show --format gx", "as a validation result of Great Expectations"))
        {
            run, format,
        };
        context.Handle(command, async call =>
        {
            using var service = call.Connect();
            var path = call.Value(run) is { } number ? $"/api/verify/{number}" : "/api/verify/last";
            var (report, _) = await service.GetAsync<VerifyReport>(path, call.Cancellation);
            Print(call, report, FormatOf(call, format));
            return ExitOf(report, isOver: report.State != "running");
        });
        return command;
    }

    private static Verb Checks(CommandContext context)
    {
        var kind = new Argument<string?>("kind") { Description = "Only this kind of check", HelpName = string.Join('|', ChecksView.Kinds), Arity = ArgumentArity.ZeroOrOne };
        kind.AcceptOnlyFromAmong([.. ChecksView.Kinds]);
        var all = new Option<bool>("--all") { Description = "Show what passes too" };
        var format = Format();
        var command = new Verb(
            "checks",
            "Shows what was checked beside the rows: counts, rules, constraints, schemas, migration tools, sequences, samples. Exit code: 3 unless all of it passes.",
            ("cdcm verify checks", "what does not pass"),
            ("cdcm verify checks sequences --all", "what the cutover has to set"))
        {
            kind, all, format,
        };
        context.Handle(command, async call =>
        {
            using var service = call.Connect();
            var (report, _) = await service.GetAsync<VerifyChecksReport>("/api/verify/checks", call.Cancellation);
            report = call.Value(kind) is { } name ? new VerifyChecksReport([.. report.Checks.Where(check => ChecksView.NameOf(check.Kind) == name)]) : report;
            switch (FormatOf(call, format))
            {
                case "gx":
                    call.Terminal.Json(GreatExpectationsReport.Of(report), GreatExpectationsReport.Options);
                    break;
                case "json":
                    call.Terminal.Json(report);
                    break;
                default:
                    ChecksView.Show(call.Terminal, report, call.Value(all));
                    break;
            }

            return report.Checks.Count > 0 && report.Checks.All(check => check.State == CheckState.Pass) ? ExitCode.Done : ExitCode.Negative;
        });
        return command;
    }

    private static Verb List(CommandContext context)
    {
        var format = Format();
        var command = new Verb("list", "Lists the last comparisons.", ("cdcm verify list", "")) { format };
        context.Handle(command, async call =>
        {
            using var service = call.Connect();
            var (report, _) = await service.GetAsync<VerifyListReport>("/api/verify", call.Cancellation);
            switch (FormatOf(call, format))
            {
                case "gx":
                    call.Terminal.Json(report.Runs.Select(GreatExpectationsReport.Of).ToList(), GreatExpectationsReport.Options);
                    break;
                case "json":
                    call.Terminal.Json(report);
                    break;
                default:
                    call.Terminal.Show(VerifyView.Of(report));
                    break;
            }

            return ExitCode.Done;
        });
        return command;
    }

    private static Verb Stop(CommandContext context)
    {
        var command = new Verb("stop", "Ends the comparisons under way. What they found wrong stays; rows that change are verified on.", ("cdcm verify stop", ""));
        context.Handle(command, async call =>
        {
            using var service = call.Connect();
            var report = await service.PostAsync<VerifyStopReport>("/api/verify/stop", new { }, call.Cancellation);
            if (call.IsJson)
            {
                call.Terminal.Json(report);
            }
            else
            {
                call.Terminal.Line(report.Stopped.Count == 0 ? "nothing was under way" : $"stopped: {string.Join(", ", report.Stopped)}");
            }

            return ExitCode.Done;
        });
        return command;
    }

    private static Verb SelfTest(CommandContext context)
    {
        var file = CommonOptions.File();
        var command = new Verb(
            "self-test",
            "Proves that comparing finds what is wrong: makes rows of scratch tables wrong in every way, on both servers, and has to find each and no other. "
            + "Needs no running service, touches no table of the migration. Exit code: 3 unless all were found.",
            ("cdcm verify self-test -f migration.yaml", ""))
        {
            file,
        };
        context.Handle(command, async call =>
        {
            var report = await VerificationSelfTest.RunAsync(call.Load(file), call.Cancellation);
            if (call.IsJson)
            {
                call.Terminal.Json(report);
            }
            else
            {
                call.Terminal.Show(SelfTestView.Of(report));
                SelfTestView.Details(call.Terminal, report);
            }

            return report.Passed ? ExitCode.Done : ExitCode.Negative;
        });
        return command;
    }

    private static async Task<VerifyReport> WaitAsync(Invocation call, ServiceClient service, VerifyReport report)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (report.State == "running")
        {
            if (TimeProvider.System.GetElapsedTime(began) > call.Timeout)
            {
                throw new FaultException(FaultKind.TimedOut, "verify-unfinished", $"Comparison {report.RunId} is not over yet", $"It goes on: 'cdcm verify show {report.RunId}', 'cdcm verify stop'");
            }

            await Task.Delay(Pause, call.Cancellation);
            (report, _) = await service.GetAsync<VerifyReport>($"/api/verify/{report.RunId}", call.Cancellation);
        }

        return report;
    }

    private static ExitCode ExitOf(VerifyReport report, bool isOver) => isOver && report.Verdict != Verdict.Equal ? ExitCode.Negative : ExitCode.Done;

    private static void Print(Invocation call, VerifyReport report, string format)
    {
        switch (format)
        {
            case "gx":
                call.Terminal.Json(GreatExpectationsReport.Of(report), GreatExpectationsReport.Options);
                break;
            case "json":
                call.Terminal.Json(report);
                break;
            default:
                call.Terminal.Show(VerifyView.Of(report));
                VerifyView.Details(call.Terminal, report);
                break;
        }
    }

    private static Option<string> Format()
    {
        var format = new Option<string>("--format") { Description = "Form of the answer; gx is a validation result of Great Expectations (default what --output says)", HelpName = "table|json|gx" };
        format.AcceptOnlyFromAmong("table", "json", "gx");
        return format;
    }

    private static string FormatOf(Invocation call, Option<string>? format) => (format is null ? null : call.Value(format)) ?? (call.IsJson ? "json" : "table");
}
