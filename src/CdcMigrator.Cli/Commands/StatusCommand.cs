using System.CommandLine;
using System.Text.Json;
using CdcMigrator.Cli.Output;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Service.Api;

namespace CdcMigrator.Cli.Commands;

/// <summary><c>cdcm status</c>.</summary>
internal static class StatusCommand
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    private static readonly JsonSerializerOptions OneLine = new(ApiJson.Options) { WriteIndented = false };

    public static Command Create(CommandContext context)
    {
        var watch = new Option<bool>("--watch", "-w") { Description = "Show it again every 2 s until Ctrl-C; with -o json one line each time" };
        var back = new Option<bool>("--back") { Description = "Of the way back, from the target to the source" };
        var command = new Verb(
            "status",
            "Shows which side takes writes, phase, lag, lanes, tables, faults and what to do next.",
            ("cdcm status", ""),
            ("cdcm status --watch", "until Ctrl-C"),
            ("cdcm status --back", "of the way back, while the target takes writes"),
            ("cdcm status -o json | jq .lag.records", "for scripts"))
        {
            watch, back,
        };
        context.Handle(command, async call =>
        {
            using var service = call.Connect();
            var path = call.Value(back) ? "/back/api/status" : "/api/status";
            return call.Value(watch) ? await WatchAsync(call, service, path) : await OnceAsync(call, service, path);
        });
        return command;
    }

    private static async Task<ExitCode> OnceAsync(Invocation call, ServiceClient service, string path)
    {
        var (report, _) = await service.GetAsync<StatusReport>(path, call.Cancellation);
        if (call.IsJson)
        {
            call.Terminal.Json(report);
        }
        else
        {
            StatusView.Show(call.Terminal, report);
        }

        return ExitCode.Done;
    }

    /// <summary>The first answer must come; later the service may be away for a while, as when it is restarted.</summary>
    private static async Task<ExitCode> WatchAsync(Invocation call, ServiceClient service, string path)
    {
        for (var first = true; ; first = false)
        {
            try
            {
                var (report, _) = await service.GetAsync<StatusReport>(path, call.Cancellation);
                if (call.IsJson)
                {
                    call.Terminal.Out.WriteLine(JsonSerializer.Serialize(report, OneLine));
                }
                else
                {
                    call.Terminal.Clear();
                    StatusView.Show(call.Terminal, report);
                }
            }
            catch (FaultException e) when (!first && e.Fault.Kind == FaultKind.Unreachable)
            {
                call.Terminal.Fault(e.Fault);
            }

            await Task.Delay(Interval, call.Cancellation);
        }
    }
}
