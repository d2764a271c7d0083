using CdcMigrator.Connect.Rest;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Postgres.Drift;
using CdcMigrator.Service.Runtime;
using CdcMigrator.Streaming.Inspection;
using Npgsql;

namespace CdcMigrator.Service.Watching;

/// <summary>What a <see cref="SourceWatch"/> looks at and tells.</summary>
internal sealed record SourceWatchParts
{
    /// <summary>The source; null where it cannot be asked.</summary>
    public NpgsqlDataSource? Source { get; init; }

    /// <summary>The migration's slot.</summary>
    public required string Slot { get; init; }

    /// <summary>Kafka Connect; null where the migration names none.</summary>
    public ConnectClient? Connect { get; init; }

    /// <summary>The connector.</summary>
    public ConnectSection? Section { get; init; }

    /// <summary>Its settings.</summary>
    public SettingsWatch? Settings { get; init; }

    /// <summary>Restarts of a connector that has failed.</summary>
    public ConnectorRestarts? Restarts { get; init; }

    /// <summary>Pulses through the source; null for the embedded log, which knows its slot itself.</summary>
    public PulseWatch? Pulses { get; init; }

    /// <summary>Both catalogs; null where the source cannot be asked.</summary>
    public SchemaWatch? Schemas { get; init; }

    /// <summary>Routes to keep.</summary>
    public required RouteKeeper Routes { get; init; }

    /// <summary>Fence rows met.</summary>
    public required FenceWatch Fence { get; init; }

    /// <summary>The log.</summary>
    public required LogInspector Log { get; init; }

    /// <summary>Captured topics.</summary>
    public required IReadOnlyCollection<string> Topics { get; init; }

    /// <summary>Where to count.</summary>
    public required ServiceMetrics Metrics { get; init; }
}
