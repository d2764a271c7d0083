using CdcMigrator.Domain.Migrations;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace CdcMigrator.Service.Configuration;

/// <summary>What one reading of a file gathers: the mistakes, so that all are told at once, and the keys asked for.</summary>
internal sealed class ReadingContext(Func<string, string?> environment)
{
    private readonly EnvironmentReferences references = new(environment);
    private readonly List<MigrationFileError> errors = [];

    /// <summary>Mistakes by place in the file, each once, however often its key was read.</summary>
    public IReadOnlyList<MigrationFileError> Errors => [.. errors.Distinct().OrderBy(error => error.Line).ThenBy(error => error.Column)];

    public bool HasErrors => errors.Count > 0;

    /// <summary>Paths of <see cref="MigrationKeys"/> that were asked for, whether the file holds them or not.</summary>
    public HashSet<string> Asked { get; } = [];

    public void Add(YamlNode at, string message) => Add(at.Start, message);

    public void Add(Mark at, string message) => errors.Add(new MigrationFileError((int)at.Line, (int)at.Column, message));

    /// <summary>The text of a scalar with references expanded; null where it is YAML's null or a reference is wrong.</summary>
    public string? TextOf(YamlScalarNode node) => HookTextOf(node)?.Value;

    /// <summary>The same with what may be shown of it.</summary>
    public HookText? HookTextOf(YamlScalarNode node)
    {
        if (node.Style == ScalarStyle.Plain && node.Value is null or "" or "~" or "null" or "Null" or "NULL")
        {
            return null;
        }

        var secrets = new List<string>();
        var written = node.Value ?? "";
        var text = references.Expand(written, out var error, secrets);
        if (error is not null)
        {
            Add(node, error);
        }

        return text is null ? null : new HookText(text, written, secrets);
    }
}
