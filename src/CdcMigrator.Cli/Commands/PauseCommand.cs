using System.CommandLine;
using CdcMigrator.Cli.Output;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Service.Api;

namespace CdcMigrator.Cli.Commands;

/// <summary><c>cdcm pause</c> and <c>cdcm resume</c>.</summary>
internal static class PauseCommand
{
    public static Command Create(CommandContext context)
    {
        var reason = new Option<string>("--reason") { Description = "Why, for everyone who wonders", HelpName = "text", Required = true };
        var (by, back) = (By(), Back());
        var command = new Verb(
            "pause",
            "Has nothing applied any more, in any process, however often one is started, until 'cdcm resume'. Batches in flight are waited for; offsets stay, the log keeps what comes. Meanwhile nothing is compared and the gate is closed. "
            + "Exit code 6 during an attempt, and where nothing is applied in this direction.",
            ("cdcm pause --reason 'the target gets another disk'", ""), ("cdcm pause --back --reason 'maintenance of the old server'", "of the way back, while the target takes writes"))
        {
            reason, by, back,
        };
        context.Handle(command, async call =>
        {
            using var service = call.Connect();
            return Show(call, await service.PostAsync<PauseReport>($"{Prefix(call, back)}/api/pause", new PauseRequest(Who(call, by), call.Value(reason)), call.Cancellation));
        });
        return command;
    }

    public static Command CreateResume(CommandContext context)
    {
        var (by, back) = (By(), Back());
        var command = new Verb("resume", "Goes on after 'cdcm pause', where it stopped. May be repeated.", ("cdcm resume", "")) { by, back };
        context.Handle(command, async call =>
        {
            using var service = call.Connect();
            return Show(call, await service.PostAsync<PauseReport>($"{Prefix(call, back)}/api/resume", new PauseRequest(Who(call, by)), call.Cancellation));
        });
        return command;
    }

    private static Option<string?> By() => new("--by") { Description = "Who asks (default: user@machine)", HelpName = "name" };

    private static Option<bool> Back() => new("--back") { Description = "Of the way back, from the target to the source" };

    private static string Prefix(Invocation call, Option<bool> back) => call.Value(back) ? "/back" : "";

    private static string Who(Invocation call, Option<string?> by) => call.Value(by) is { Length: > 0 } name ? name : $"{System.Environment.UserName}@{System.Environment.MachineName}";

    private static ExitCode Show(Invocation call, PauseReport report)
    {
        if (call.IsJson)
        {
            call.Terminal.Json(report);
        }
        else
        {
            call.Terminal.Line(report.Paused is { } pause ? $"[yellow]{Sheet.Text(report.Migration)} is {Sheet.Text(pause.ToString())}[/]; 'cdcm resume' has it go on"
                : report.Ended is { } ended ? $"[green]{Sheet.Text(report.Migration)} goes on[/]; it was {Sheet.Text(ended.ToString())}"
                : $"{Sheet.Text(report.Migration)} was not paused");
        }

        return ExitCode.Done;
    }
}
