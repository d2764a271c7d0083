using System.CommandLine;

namespace CdcMigrator.Cli.Commands;

/// <summary>A command whose help begins with examples.</summary>
internal sealed class Verb(string name, string description, params (string Command, string Meaning)[] examples) : Command(name, description)
{
    public IReadOnlyList<(string Command, string Meaning)> Examples { get; } = examples;
}
