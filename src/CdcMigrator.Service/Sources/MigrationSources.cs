using CdcMigrator.Connect;
using CdcMigrator.Connect.Rest;
using CdcMigrator.Domain.Migrations;

namespace CdcMigrator.Service.Sources;

/// <summary>Makes the source of a migration by its engine.</summary>
internal static class MigrationSources
{
    /// <summary>Makes it; nothing connects yet.</summary>
    /// <exception cref="Domain.Faults.FaultException">Configuration: the connection string cannot be read.</exception>
    public static IMigrationSource Create(MigrationDefinition definition, ConnectClient? connect, TimeProvider time) =>
        definition.Source.Kind == SourceKind.PostgreSql
            ? new PostgresSource(definition.Source.Connection, ConnectorNames.Slot(definition.LogName), StoredOf(definition, connect, time), time)
            : new MariaDbSource(definition.Source.Connection, connect, definition.Connect?.Connector, time);

    private static StoredOffset? StoredOf(MigrationDefinition definition, ConnectClient? connect, TimeProvider time) =>
        definition is { Log.Kind: LogKind.Kafka, Connect: { } section } && connect is not null ? new StoredOffset(connect, section.Connector, definition.Log.TopicPrefix, time) : null;
}
