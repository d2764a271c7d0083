using System.CommandLine;
using System.Runtime.InteropServices;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Service;

namespace CdcMigrator.Cli.Commands;

/// <summary><c>cdcm version</c>.</summary>
internal static class VersionCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new Verb("version", "Shows the version.", ("cdcm version -o json", "for scripts"));
        context.Handle(command, call =>
        {
            if (call.IsJson)
            {
                call.Terminal.Json(new { version = BuildInfo.Version, commit = BuildInfo.Commit, runtime = RuntimeInformation.FrameworkDescription });
            }
            else
            {
                call.Terminal.Out.WriteLine($"cdcm {BuildInfo.Version}{(BuildInfo.Commit.Length > 0 ? $" ({BuildInfo.Commit})" : "")}, {RuntimeInformation.FrameworkDescription}");
            }

            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }
}
