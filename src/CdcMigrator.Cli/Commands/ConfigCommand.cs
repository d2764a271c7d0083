using System.CommandLine;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Service.Configuration;

namespace CdcMigrator.Cli.Commands;

/// <summary><c>cdcm config validate|show</c>.</summary>
internal static class ConfigCommand
{
    public static Command Create(CommandContext context) => new Verb("config", "Checks and shows migration files.", ("cdcm config validate -f migration.yaml", "every mistake at once, with its line"))
    {
        Validate(context),
        Show(context),
    };

    private static Verb Validate(CommandContext context)
    {
        var file = CommonOptions.File();
        var command = new Verb(
            "validate",
            "Checks a migration file without connecting anywhere. Exit code 2 where it holds mistakes.",
            ("cdcm config validate -f migration.yaml", ""))
        {
            file,
        };
        context.Handle(command, call =>
        {
            if (!call.IsJson)
            {
                var definition = call.Load(file);
                call.Terminal.Error.WriteLine($"{call.Value(file)} is valid: migration {definition.Name}, {Count(definition.Tables.Count, "table")}");
                return Task.FromResult(ExitCode.Done);
            }

            var reading = MigrationFile.Read(call.Value(file)!, call.Environment);
            call.Terminal.Json(new { ok = reading.Errors.Count == 0, errors = reading.Errors });
            return Task.FromResult(reading.Errors.Count == 0 ? ExitCode.Done : ExitCode.Usage);
        });
        return command;
    }

    private static Verb Show(CommandContext context)
    {
        var file = CommonOptions.File();
        var command = new Verb(
            "show",
            "Prints the file as it is in force: defaults filled in, references expanded, secrets redacted.",
            ("cdcm config show -f migration.yaml", ""))
        {
            file,
        };
        context.Handle(command, call =>
        {
            var definition = call.Load(file);
            if (call.IsJson)
            {
                call.Terminal.Out.WriteLine(EffectiveFile.RenderJson(definition));
            }
            else
            {
                call.Terminal.Out.Write(EffectiveFile.Render(definition));
            }

            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static string Count(int number, string what) => $"{number} {what}{(number == 1 ? "" : "s")}";
}
