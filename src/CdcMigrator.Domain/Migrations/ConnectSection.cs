namespace CdcMigrator.Domain.Migrations;

/// <summary>Kafka Connect.</summary>
/// <param name="Url">Base address of its REST API.</param>
/// <param name="Connector">Name of the source connector.</param>
public sealed record ConnectSection(Uri Url, string Connector)
{
    /// <summary>How long a connector that says it runs may make no progress before that is a fault. Longer than the workers' <c>offset.flush.interval.ms</c>.</summary>
    public TimeSpan StalledAfter { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How often in a row the service restarts a connector that has failed; 0: never.</summary>
    public int MaxRestarts { get; init; } = 7;
}
