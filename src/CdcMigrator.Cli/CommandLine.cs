using System.CommandLine;
using System.CommandLine.Help;
using CdcMigrator.Cli.Commands;
using CdcMigrator.Cli.Demo;
using CdcMigrator.Cli.Output;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Service.Configuration;

namespace CdcMigrator.Cli;

/// <summary>The command line of one invocation: its verbs, and the way every error ends.</summary>
internal sealed class CommandLine
{
    private readonly CommandContext context;

    public CommandLine(Terminal terminal, Func<string, string?> environment)
    {
        context = new CommandContext(terminal, environment);
        Root = CreateRoot();
    }

    /// <summary>The root command with all verbs.</summary>
    public RootCommand Root { get; }

    /// <summary>Parses and runs; returns the exit code.</summary>
    public async Task<int> RunAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var parsed = Root.Parse(arguments);
        context.Terminal.Configure(
            noColor: parsed.GetResult(context.Options.NoColor) is not null || !string.IsNullOrEmpty(context.Environment("NO_COLOR")));
        if (parsed.Errors.Count > 0 && parsed.Action is not HelpAction)
        {
            return Usage(parsed);
        }

        // Signals are ours (Interruption), and so is what an exception looks like (CommandContext).
        return await parsed.InvokeAsync(
            new InvocationConfiguration
            {
                Output = context.Terminal.Out,
                Error = context.Terminal.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            },
            cancellationToken);
    }

    private RootCommand CreateRoot()
    {
        var root = new RootCommand("Moves a live database to a new PostgreSQL without losing a row.")
        {
            DemoCommand.Create(context),
            RunCommand.Create(context),
            StatusCommand.Create(context),
            LagCommand.Create(context),
            DlqCommand.Create(context),
            TablesCommand.Create(context), VerifyCommand.Create(context), CutoverCommand.Create(context), CutoverCommand.CreateRollback(context), CutoverCommand.CreateRehearsal(context),
            AdviseCommand.Create(context), WaiveCommand.Create(context), PauseCommand.Create(context), PauseCommand.CreateResume(context),
            AuditCommand.Create(context), PlanCommand.Create(context), BenchmarkCommand.Create(context),
            PreflightCommand.Create(context),
            DiagnoseCommand.Create(context),
            ConnectorCommand.Create(context),
            ConfigCommand.Create(context),
            HealthCommand.Create(context),
            VersionCommand.Create(context),
        };
        context.Options.AddTo(root);
        foreach (var option in root.Options.ToList())
        {
            if (option is HelpOption help)
            {
                help.Action = new HelpAction();
            }
            else if (option is VersionOption)
            {
                root.Options.Remove(option);
            }
        }

        return root;
    }

    private int Usage(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var name = HelpAction.PathOf(command);
        var unmatched = parsed.UnmatchedTokens;
        if (unmatched.Count == 0 && command.Subcommands.Count > 0 && command.Action is null)
        {
            context.Terminal.Fault($"{name} needs a verb: {string.Join(", ", command.Subcommands.Select(verb => verb.Name))}", $"'{name} --help' shows what they do");
        }
        else if (unmatched.Count > 0)
        {
            var known = command.Subcommands.Select(verb => verb.Name).Concat(HelpAction.OptionsOf(command).SelectMany(option => option.Aliases.Append(option.Name)));
            var meant = NearestName.Of(unmatched[0], known);
            var what = unmatched[0].StartsWith('-') ? "option" : command.Subcommands.Count > 0 ? "verb" : "argument";
            context.Terminal.Fault(
                $"'{unmatched[0]}' is no {what} of {name}",
                meant is null ? $"'{name} --help' lists what there is" : $"did you mean '{name} {meant}'?");
        }
        else
        {
            foreach (var error in parsed.Errors)
            {
                context.Terminal.Fault(error.Message.TrimEnd('.').ReplaceLineEndings(" ").Replace("\t", "", StringComparison.Ordinal), error == parsed.Errors[^1] ? $"'{name} --help' shows how it is used" : "");
            }
        }

        return (int)ExitCode.Usage;
    }
}
