using System.CommandLine;
using System.Diagnostics;
using CdcMigrator.Cli.Commands;
using CdcMigrator.Domain.Faults;

namespace CdcMigrator.Cli.Demo;

/// <summary><c>cdcm demo stop</c>: ends what <c>--keep</c> left running.</summary>
internal static class StopCommand
{
    public static Command Create(CommandContext context)
    {
        var folder = new Option<string>("--folder") { Description = "Folder that 'cdcm demo --keep' printed", HelpName = "folder", Required = true };
        var command = new Verb("stop", "Ends what 'cdcm demo --keep' left running and removes its folder.", ("cdcm demo stop --folder /tmp/cdcm-demo-4fG1", "")) { folder };
        context.Handle(command, async call =>
        {
            var demo = DemoFolder.Open(call.Value(folder)!);
            KillAll(demo);
            await demo.RemoveAsync();
            call.Terminal.Error.WriteLine($"stopped; {demo.Path} is removed");
            return ExitCode.Done;
        });
        return command;
    }

    /// <summary>Kills what runs in a demo's folder.</summary>
    public static void KillAll(DemoFolder folder)
    {
        foreach (var pid in folder.Processes())
        {
            try
            {
                using var process = Process.GetProcessById(pid);
                process.Kill(entireProcessTree: true);
            }
            catch (Exception exception) when (exception is ArgumentException or InvalidOperationException)
            {
                // It was quicker.
            }
        }
    }
}
