namespace CdcMigrator.Domain.Migrations;

/// <summary>Kafka Connect.</summary>
/// <param name="Url">Base address of its REST API.</param>
/// <param name="Connector">Name of the source connector.</param>
public sealed record ConnectSection(Uri Url, string Connector);
