using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using CdcMigrator.Cli.Commands;

namespace CdcMigrator.Cli;

/// <summary>Help: what the verb is for, examples first, then usage and options.</summary>
internal sealed class HelpAction : SynchronousCommandLineAction
{
    /// <summary>Name of a command with its parents: <c>cdcm config show</c>.</summary>
    public static string PathOf(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } parent ? $"{PathOf(parent)} {command.Name}" : "cdcm";

    /// <summary>Options of a command with those it inherits.</summary>
    public static IEnumerable<Option> OptionsOf(Command command) => command.Options
        .Concat(command.Parents.OfType<Command>().SelectMany(OptionsOf).Where(option => option.Recursive))
        .DistinctBy(option => option.Name);

    /// <inheritdoc />
    public override int Invoke(ParseResult parseResult)
    {
        parseResult.InvocationConfiguration.Output.Write(Render(parseResult.CommandResult.Command));
        return 0;
    }

    public static string Render(Command command)
    {
        using var text = new StringWriter { NewLine = "\n" };
        text.WriteLine(command.Description);
        if (command is Verb { Examples.Count: > 0 } verb)
        {
            Section(text, "Examples", verb.Examples.Select(example => (example.Command, example.Meaning)));
        }

        text.WriteLine();
        text.WriteLine("Usage:");
        text.WriteLine($"  {PathOf(command)}{(command.Subcommands.Count > 0 ? " <verb>" : "")}{string.Concat(command.Arguments.Select(argument => $" [{argument.HelpName ?? argument.Name}]"))} [options]");
        Section(text, "Verbs", command.Subcommands.Select(sub => (sub.Name, sub.Description ?? "")));
        Section(text, "Arguments", command.Arguments.Select(argument => (argument.HelpName ?? argument.Name, argument.Description ?? "")));
        var inherited = OptionsOf(command).Except(command.Options).ToList();
        Section(text, "Options", command.Options.Where(option => option is not HelpOption).Select(Describe));
        Section(text, "Common options", inherited.Where(option => option is not HelpOption).Select(Describe));
        if (command.Parents.Any())
        {
            return text.ToString();
        }

        text.WriteLine();
        text.WriteLine("Exit codes:");
        text.WriteLine("  0 done, equal, gate open   1 internal error   2 usage or configuration   3 negative answer   4 a dependency is unreachable");
        text.WriteLine("  5 timed out and undone   6 not allowed in this phase   130 interrupted");
        return text.ToString();
    }

    private static (string Name, string Meaning) Describe(Option option)
    {
        var names = string.Join(", ", option.Aliases.Append(option.Name).OrderBy(alias => alias.Length));
        return (option.HelpName is null ? names : $"{names} <{option.HelpName}>", $"{option.Description}{(option.Required ? " (required)" : "")}");
    }

    private static void Section(TextWriter text, string title, IEnumerable<(string Name, string Meaning)> rows)
    {
        var list = rows.ToList();
        if (list.Count == 0)
        {
            return;
        }

        var width = list.Max(row => row.Name.Length) + 2;
        text.WriteLine();
        text.WriteLine($"{title}:");
        foreach (var (name, meaning) in list)
        {
            text.WriteLine($"  {name.PadRight(width)}{meaning}".TrimEnd());
        }
    }
}
