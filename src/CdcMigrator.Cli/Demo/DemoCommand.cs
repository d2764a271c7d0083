using System.CommandLine;
using CdcMigrator.Cli.Commands;
using CdcMigrator.Domain.Faults;

namespace CdcMigrator.Cli.Demo;

/// <summary><c>cdcm demo</c>: the whole way on two scratch servers.</summary>
internal static class DemoCommand
{
    public static Command Create(CommandContext context)
    {
        var defaults = new DemoOptions();
        var rows = new Option<long>("--rows") { Description = $"Rows loaded before anything moves (default {defaults.Rows})", HelpName = "n", DefaultValueFactory = _ => defaults.Rows };
        var rate = new Option<double>("--rate") { Description = $"Transactions a second of the shop's writers; 0: as fast as they go (default {defaults.Rate})", HelpName = "n", DefaultValueFactory = _ => defaults.Rate };
        var seconds = new Option<double>("--seconds") { Description = $"How long changes stream before the switch (default {defaults.Streaming.TotalSeconds})", HelpName = "n", DefaultValueFactory = _ => defaults.Streaming.TotalSeconds };
        var kills = new Option<int>("--kills") { Description = "Kill the service (kill -9) this often meanwhile", HelpName = "n" };
        var tamper = new Option<bool>("--tamper") { Description = "Change one row of the target behind everyone's back, to see it found (exit code 3)" };
        var keep = new Option<bool>("--keep") { Description = "Rehearse the switch, then leave everything running and say how to handle it" };
        AtLeast(rows, 100);
        AtLeast(rate, 0);
        AtLeast(seconds, 0);
        AtLeast(kills, 0);
        var command = new Verb(
            "demo",
            "Moves a shop under load between two scratch PostgreSQL servers and proves that nothing is lost. Needs no file.",
            ("cdcm demo", "about a minute"),
            ("cdcm demo --kills 3", "and nothing is lost"),
            ("cdcm demo --keep", "look around: status page, kill and restart, psql"),
            ("cdcm demo --rows 20000 -o json | jq .writeOutageMs", "for scripts; exit code 3 where anything is lost or differs"))
        {
            rows, rate, seconds, kills, tamper, keep,
            FetchPostgresCommand.Create(context),
            StopCommand.Create(context),
        };
        context.Handle(command, call => RunAsync(call, new DemoOptions
        {
            Rows = call.Value(rows),
            Rate = call.Value(rate),
            Streaming = TimeSpan.FromSeconds(call.Value(seconds)),
            Kills = call.Value(kills),
            Tamper = call.Value(tamper),
            Keep = call.Value(keep),
        }));
        return command;
    }

    private static void AtLeast<T>(Option<T> option, T least)
        where T : IComparable<T> => option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<T>() is { } value && value.CompareTo(least) < 0)
            {
                result.AddError($"{option.Name} is {value} but must be at least {least}");
            }
        });

    private static async Task<ExitCode> RunAsync(Invocation call, DemoOptions options)
    {
        var display = new DemoDisplay(call.Terminal, live: call.Terminal.IsInteractive && !call.IsJson);
        var folder = DemoFolder.Create();
        DemoReport? report = null;
        try
        {
            await display.RunAsync(async () => report = await RunAsync(options, folder, display, call.Cancellation));
        }
        finally
        {
            if (report?.Running is null)
            {
                await folder.RemoveAsync();
            }
        }

        DemoView.Show(call, report!);
        return report!.Ok ? ExitCode.Done : ExitCode.Negative;
    }

    private static async Task<DemoReport> RunAsync(DemoOptions options, DemoFolder folder, DemoDisplay display, CancellationToken cancellationToken)
    {
        // The last resort where this process ends without unwinding: a second Ctrl-C.
        EventHandler killAll = (_, _) => StopCommand.KillAll(folder);
        AppDomain.CurrentDomain.ProcessExit += killAll;
        DemoServers? servers = null;
        DemoService? service = null;
        try
        {
            await display.StepAsync("start", async () =>
            {
                servers = await DemoServers.StartAsync(folder, display.Say, cancellationToken);
                return $"PostgreSQL {servers.SourceServer.Major} and {servers.TargetServer.Major} in {folder.Path}";
            });
            var report = await new DemoRun(options, folder, servers!, display).RunAsync(started => service = started, cancellationToken);
            if (options.Keep)
            {
                servers!.Keep = service!.Keep = true;
            }

            return report;
        }
        finally
        {
            if (service is not null)
            {
                await service.DisposeAsync();
            }

            if (servers is not null)
            {
                await servers.DisposeAsync();
            }

            AppDomain.CurrentDomain.ProcessExit -= killAll;
        }
    }
}
