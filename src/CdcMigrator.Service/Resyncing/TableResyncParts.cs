using CdcMigrator.Connect.Rest;
using CdcMigrator.Cutover.Draining;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Postgres.Drift;
using CdcMigrator.Postgres.Resync;
using Npgsql;

namespace CdcMigrator.Service.Resyncing;

/// <summary>What <see cref="TableResyncs"/> works with.</summary>
internal sealed record TableResyncParts
{
    /// <summary>The migration file.</summary>
    public required MigrationDefinition Definition { get; init; }

    /// <summary>Where the copies stand.</summary>
    public required ResyncStore Store { get; init; }

    /// <summary>Pulses, which are accepted when all tables are copied.</summary>
    public required PulseStore Pulses { get; init; }

    /// <summary>The target.</summary>
    public required NpgsqlDataSource Control { get; init; }

    /// <summary>The source; null where it cannot be written to.</summary>
    public NpgsqlDataSource? Source { get; init; }

    /// <summary>Both catalogs.</summary>
    public SchemaWatch? Schemas { get; init; }

    /// <summary>Kafka Connect; null where there is none.</summary>
    public ConnectClient? Connect { get; init; }

    /// <summary>Removes rows the source no longer has.</summary>
    public SurplusRows? Surplus { get; init; }

    /// <summary>The routes as they are.</summary>
    public required Func<RouteTable?> Routes { get; init; }

    /// <summary>Dead letters by source table.</summary>
    public required Func<CancellationToken, Task<IReadOnlyDictionary<string, long>>> DeadLetters { get; init; }

    /// <summary>Proves that everything before a marker is in the target.</summary>
    public required Func<string, ulong, TimeSpan, CancellationToken, Task<DrainReport>> Drain { get; init; }
}
