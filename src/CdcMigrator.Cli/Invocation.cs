using System.CommandLine;
using CdcMigrator.Cli.Output;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Service.Configuration;

namespace CdcMigrator.Cli;

/// <summary>One run of one verb.</summary>
internal sealed class Invocation(CommandContext context, ParseResult parsed, CancellationToken cancellationToken)
{
    public Terminal Terminal => context.Terminal;

    public Func<string, string?> Environment => context.Environment;

    /// <summary>Cancelled by Ctrl-C or SIGTERM.</summary>
    public CancellationToken Cancellation => cancellationToken;

    public bool IsJson => Value(context.Options.Output) == OutputFormat.Json;

    public bool Verbose => Value(context.Options.Verbose);

    public Uri Server => Value(context.Options.Server)!;

    public TimeSpan Timeout => Value(context.Options.Timeout);

    public T? Value<T>(Option<T> option) => parsed.GetValue(option);

    public T? Value<T>(Argument<T> argument) => parsed.GetValue(argument);

    /// <summary>Loads the migration file a verb's option names.</summary>
    public MigrationDefinition Load(Option<string> file) => MigrationFile.Load(Value(file)!);

    /// <summary>A client of the service.</summary>
    public ServiceClient Connect() => new(Server, Timeout);
}
