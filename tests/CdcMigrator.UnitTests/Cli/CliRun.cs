using CdcMigrator.Cli;
using CdcMigrator.Cli.Output;

namespace CdcMigrator.UnitTests.Cli;

/// <summary>One run of the command line inside the test process.</summary>
internal sealed record CliRun(int ExitCode, string Output, string Error)
{
    public static Task<CliRun> Of(params string[] arguments) => Of(new Dictionary<string, string>(), arguments);

    public static async Task<CliRun> Of(IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var exitCode = await new CommandLine(new Terminal(output, error, isInteractive: false), name => environment.GetValueOrDefault(name))
            .RunAsync(arguments, TestContext.Current.CancellationToken);
        return new CliRun(exitCode, output.ToString(), error.ToString());
    }
}
