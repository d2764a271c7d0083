using System.CommandLine;
using System.Text.RegularExpressions;
using CdcMigrator.Cli;
using CdcMigrator.Cli.Output;
using CdcMigrator.TestKit;

namespace CdcMigrator.UnitTests.Cli;

/// <summary>A message that names a command names one that exists.</summary>
public sealed partial class NamedCommandsTests
{
    private static readonly RootCommand Root = new CommandLine(new Terminal(TextWriter.Null, TextWriter.Null, isInteractive: false), _ => null).Root;

    [Fact]
    public void Every_command_a_message_names_exists()
    {
        var unknown = Directory.EnumerateFiles(Repository.PathOf("src"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(path => Named().Matches(File.ReadAllText(path)).Select(match => (path, verbs: match.Groups[1].Value.Split(' '))))
            .Where(named => !Exists(Root, named.verbs))
            .Select(named => $"{Path.GetFileName(named.path)}: cdcm {string.Join(' ', named.verbs)}");
        Assert.Empty(unknown);
    }

    private static bool Exists(Command command, ReadOnlySpan<string> verbs)
    {
        foreach (var sub in command.Subcommands)
        {
            if (!verbs.IsEmpty && sub.Name == verbs[0])
            {
                return Exists(sub, verbs[1..]);
            }
        }

        return command.Subcommands.Count == 0 || command.Action is not null;
    }

    /// <summary>Words up to an option or the closing quote; the embedded log's name of its lock is no command.</summary>
    [GeneratedRegex("'cdcm (?!embedded)([a-z]+(?: [a-z]+)*)(?: -|')")]
    private static partial Regex Named();
}
