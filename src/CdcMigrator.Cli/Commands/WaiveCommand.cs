using System.CommandLine;
using CdcMigrator.Cli.Output;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Configuration;

namespace CdcMigrator.Cli.Commands;

/// <summary><c>cdcm waive</c>.</summary>
internal static class WaiveCommand
{
    public static Command Create(CommandContext context)
    {
        var criterion = new Argument<string?>("criterion") { Description = "Criterion of the gate, as 'cdcm cutover check' names it", HelpName = "CRITERION", Arity = ArgumentArity.ZeroOrOne };
        var reason = new Option<string?>("--reason") { Description = "Why it need not pass", HelpName = "text" };
        var by = new Option<string?>("--by") { Description = "Who says so (default: user@machine)", HelpName = "name" };
        var until = new Option<string?>("--until") { Description = "How long: 4h, 2d; without it for as long as the same is found", HelpName = "duration" };
        var list = new Option<bool>("--list") { Description = "Show what was waived, and whether it counts" };
        var revoke = new Option<string?>("--revoke") { Description = "Take the waiver of this criterion back", HelpName = "CRITERION" };
        var back = new Option<bool>("--back") { Description = "Of the way back, from the target to the source" };
        var command = new Verb(
            "waive",
            "Accepts that a criterion of the gate does not pass, for what is found of it now: what is found later is another matter. Only reads, rules, constraints and schemaHistory can be waived; what proves "
            + "that both sides are equal cannot. Noted with name and reason in the journal and in the evidence. Exit code 6: it may not be waived, or passes.",
            ("cdcm waive reads --reason 'index comes on Monday' --until 4d", ""), ("cdcm waive --list", "what was waived, and whether it counts"), ("cdcm waive --revoke reads", ""))
        {
            criterion, reason, by, until, list, revoke, back,
        };
        command.Validators.Add(result =>
        {
            var ways = (result.GetValue(criterion) is null ? 0 : 1) + (result.GetValue(list) ? 1 : 0) + (result.GetValue(revoke) is null ? 0 : 1);
            if (ways != 1)
            {
                result.AddError("name a criterion, or --list, or --revoke CRITERION");
            }
            else if (result.GetValue(criterion) is not null && string.IsNullOrWhiteSpace(result.GetValue(reason)))
            {
                result.AddError("a waiver needs --reason");
            }
            else if (result.GetValue(until) is { } text && !(Durations.TryParse(text, out var time) && time > TimeSpan.Zero))
            {
                result.AddError($"--until is '{text}' but must be {Durations.Form}");
            }
        });
        context.Handle(command, async call =>
        {
            using var service = call.Connect();
            var path = call.Value(back) ? "/back/api/waivers" : "/api/waivers";
            var who = call.Value(by) is { Length: > 0 } name ? name : $"{System.Environment.UserName}@{System.Environment.MachineName}";
            var report = call.Value(revoke) is { } gone ? await service.PostAsync<WaiversReport>($"{path}/revoke", new WaiverRequest(gone, who), call.Cancellation)
                : call.Value(criterion) is { } waived ? await service.PostAsync<WaiversReport>(path, new WaiverRequest(waived, who, call.Value(reason), call.Value(until)), call.Cancellation)
                : (await service.GetAsync<WaiversReport>(path, call.Cancellation)).Value;
            if (call.IsJson)
            {
                call.Terminal.Json(report);
            }
            else
            {
                WaiverView.Show(call.Terminal, report);
            }

            return ExitCode.Done;
        });
        return command;
    }
}
