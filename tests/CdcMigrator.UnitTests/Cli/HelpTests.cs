using System.CommandLine;
using CdcMigrator.Cli;
using CdcMigrator.Cli.Output;
using CdcMigrator.TestKit.Golden;

namespace CdcMigrator.UnitTests.Cli;

/// <summary>Help of every verb of ours, frozen.</summary>
public sealed class HelpTests
{
    private static readonly CommandLine Line = new(new Terminal(TextWriter.Null, TextWriter.Null, isInteractive: false), _ => null);

    [Fact]
    public void Help_of_every_verb_is_frozen()
    {
        foreach (var command in All(Line.Root).Where(command => command.Name != "demo" && !command.Parents.Any(parent => parent.Name == "demo")))
        {
            GoldenFile.Matches($"help-{HelpAction.PathOf(command).Replace(' ', '-')}", HelpAction.Render(command));
        }
    }

    [Fact]
    public void Every_verb_and_option_says_what_it_does() =>
        Assert.All(All(Line.Root), command =>
        {
            Assert.False(string.IsNullOrWhiteSpace(command.Description), command.Name);
            Assert.All(command.Options, option => Assert.False(string.IsNullOrWhiteSpace(option.Description), $"{command.Name} {option.Name}"));
        });

    private static IEnumerable<Command> All(Command command) => command.Subcommands.SelectMany(All).Prepend(command);
}
