namespace CdcMigrator.Connect.Templates;

/// <summary>What a connector's settings depend on beside the migration file.</summary>
public sealed record ConnectorTemplateOptions
{
    /// <summary>JSON records carry their schema (three to ten times the size); for readers beside CdcMigrator, which needs none. JSON only.</summary>
    public bool JsonSchemas { get; init; }

    /// <summary>Written as the password in place of the real one: a reference to a config provider of the workers, as in <c>${env:SOURCE_PASSWORD}</c>.</summary>
    public string? PasswordReference { get; init; }

    /// <summary>Partitions of topics Connect creates, and so most lanes a table can have.</summary>
    public int Partitions { get; init; } = 4;

    /// <summary>Replicas of topics Connect creates; -1 takes the brokers' own default.</summary>
    public int ReplicationFactor { get; init; } = -1;
}
