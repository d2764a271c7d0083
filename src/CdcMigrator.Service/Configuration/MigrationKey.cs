namespace CdcMigrator.Service.Configuration;

/// <summary>One key a migration file may hold.</summary>
/// <param name="Path">Dotted path; <c>[]</c> stands for an entry of a list: <c>tables[].source</c>.</param>
/// <param name="Type">What is expected, as shown to users: <c>duration</c>, <c>json | avro</c>.</param>
/// <param name="Default">What holds without the key, as it would be written; <c>required</c>, or empty where nothing does.</param>
/// <param name="Summary">One sentence.</param>
public sealed record MigrationKey(string Path, string Type, string Default, string Summary)
{
    /// <summary>Last part of the path.</summary>
    public string Name => Path[(Path.LastIndexOf('.') + 1)..];

    /// <summary>What holds the key: empty for the top level.</summary>
    public string Section => Path.Contains('.', StringComparison.Ordinal) ? Path[..Path.LastIndexOf('.')] : "";
}
