using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace CdcMigrator.Service.Configuration;

/// <summary>Reads migration files. Unknown keys are mistakes; all mistakes are told at once, with their lines.</summary>
public static class MigrationFile
{
    /// <summary>Reads a file.</summary>
    /// <exception cref="FaultException">Configuration: the file cannot be read, or holds mistakes; the message lists all of them.</exception>
    public static MigrationDefinition Load(string path)
    {
        var reading = Read(path, Environment.GetEnvironmentVariable);
        if (reading.Definition is { } definition)
        {
            return definition;
        }

        var message = reading.Errors is [var only]
            ? $"{path}: {only}"
            : $"{path} holds {reading.Errors.Count} mistakes:{string.Concat(reading.Errors.Select(error => $"{Environment.NewLine}  {error}"))}";
        throw new FaultException(
            FaultKind.Configuration, "migration-file", message, "Correct the file; docs/configuration.md lists every key. 'cdcm config validate -f FILE' checks it again.");
    }

    /// <summary>Reads a file and reports mistakes instead of throwing. Tests give an environment of their own.</summary>
    /// <exception cref="FaultException">Configuration: the file cannot be read.</exception>
    public static MigrationFileReading Read(string path, Func<string, string?> environment)
    {
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            var cause = e switch
            {
                FileNotFoundException or DirectoryNotFoundException => "does not exist",
                _ when Directory.Exists(path) => "is a folder",
                _ => $"cannot be read: {e.Message}",
            };
            throw new FaultException(
                FaultKind.Configuration, "migration-file-unreadable", $"migration file {path} {cause}", "Name the migration file with -f FILE.", e);
        }

        return Parse(text, environment);
    }

    /// <summary>Reads the text of a file.</summary>
    public static MigrationFileReading Parse(string text, Func<string, string?> environment) => Parse(text, new ReadingContext(environment));

    internal static MigrationFileReading Parse(string text, ReadingContext context)
    {
        MigrationDefinition? definition = null;
        try
        {
            var stream = new YamlStream();
            Load(stream, text);
            definition = Root(stream, context) is { } root ? new MigrationReader(new SectionReader(root, root, "", context)).Read() : null;
        }
        catch (YamlException e)
        {
            // The parser loses its way long after a tab, and does not name it.
            var tab = text.Split('\n').ToList().FindIndex(line => line.TrimStart(' ').StartsWith('\t'));
            context.Add(
                tab < 0 ? e.Start : new Mark(0, tab + 1, 1),
                tab < 0 ? $"not YAML: {e.InnerException?.Message ?? e.Message}" : "not YAML: the line is indented with a tab; use spaces");
        }

        return new MigrationFileReading(context.HasErrors ? null : definition, context.Errors);
    }

    private static void Load(YamlStream stream, string text)
    {
        try
        {
            stream.Load(new StringReader(text));
        }
        catch (InvalidOperationException)
        {
            // Some ends in the middle of a list or map run the parser's own state dry.
            var end = new Mark(0, text.TrimEnd().Count(character => character == '\n') + 1, 1);
            throw new YamlException(end, end, "a '[' or '{' is not closed");
        }
    }

    private static YamlMappingNode? Root(YamlStream stream, ReadingContext context)
    {
        if (stream.Documents is [{ RootNode: YamlMappingNode root }])
        {
            return root;
        }

        if (stream.Documents.Count == 0)
        {
            context.Add(new Mark(0, 1, 1), "the file is empty");
        }
        else
        {
            context.Add(stream.Documents[^1].RootNode, stream.Documents.Count > 1 ? "one document is expected" : "a migration file is a map of keys: migration, source, target, …");
        }

        return null;
    }
}
