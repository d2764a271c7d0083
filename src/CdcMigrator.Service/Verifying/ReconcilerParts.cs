using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Status;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Comparing;
using CdcMigrator.Reconciliation.Reading;
using CdcMigrator.Service.Sources;
using CdcMigrator.Streaming.Following;
using CdcMigrator.Streaming.Inspection;
using Npgsql;

namespace CdcMigrator.Service.Verifying;

/// <summary>What the reconciler works with.</summary>
internal sealed record ReconcilerParts
{
    /// <summary>The migration file.</summary>
    public required MigrationDefinition Definition { get; init; }

    /// <summary>Where findings are kept.</summary>
    public required VerificationStore Store { get; init; }

    /// <summary>Where the checks' findings are kept.</summary>
    public required CheckStore Checks { get; init; }

    /// <summary>The source's catalog, for the checks.</summary>
    public required ICheckedSide SourceSide { get; init; }

    /// <summary>The target's catalog, for the checks.</summary>
    public required ICheckedSide TargetSide { get; init; }

    /// <summary>The target's constraints, for the checks.</summary>
    public required ITargetConstraints Constraints { get; init; }

    /// <summary>Lag of those lanes of this process that run; null where none does. One that stands must not keep the others' tables from being compared.</summary>
    public required Func<TimeSpan?> Lag { get; init; }

    /// <summary>The target's control sessions, one of which holds the lease.</summary>
    public required NpgsqlDataSource Control { get; init; }

    /// <summary>Both sides.</summary>
    public required IComparedSides Sides { get; init; }

    /// <summary>Reads both catalogs.</summary>
    public required Func<CancellationToken, Task<IReadOnlyList<ComparedTable>>> Tables { get; init; }

    /// <summary>The source, where markers are written.</summary>
    public required IMigrationSource Source { get; init; }

    /// <summary>The broker.</summary>
    public required LogInspector Inspector { get; init; }

    /// <summary>Topic of a source table.</summary>
    public required Func<TableName, string> TopicOf { get; init; }

    /// <summary>Topic of the fence table.</summary>
    public required string FenceTopic { get; init; }

    /// <summary>Which life of the embedded log it is; null with Kafka.</summary>
    public required string? Incarnation { get; init; }

    /// <summary>How records are read.</summary>
    public required ReadingSettings Reading { get; init; }

    /// <summary>Makes the store of Avro schemas and what loads them; null loader without a registry.</summary>
    public required Func<(WriterSchemas Schemas, ISchemaLoader? Loader)> Schemas { get; init; }

    /// <summary>Makes a client that follows the log.</summary>
    public required Func<Action<LogRecord, CancellationToken>, LogFollower> Follow { get; init; }

    /// <summary>Where lanes were claimed in this log, the newest first.</summary>
    public required Func<CancellationToken, Task<IReadOnlyList<ClaimedAt>>> Claims { get; init; }

    /// <summary>Tables being copied again: they are compared when that is done.</summary>
    public required Func<CancellationToken, Task<IReadOnlySet<TableName>>> Copying { get; init; }

    /// <summary>The log's initial snapshot: <c>running</c>, <c>done</c>, or null while that is not known.</summary>
    public required Func<string?> Snapshot { get; init; }

    /// <summary>Why nothing is applied for now, because a person said so; null while changes are applied.</summary>
    public required Func<Pause?> Paused { get; init; }

    /// <summary>When the session that reads the source's slot was first seen; null where nothing depends on it.</summary>
    public required Func<DateTimeOffset?> ReaderSince { get; init; }

    /// <summary>Why no rows are compared for now: those that are still to be published are in no log, and would be called missing. Null where they are.</summary>
    public string? Held => Paused() is { } pause ? $"held: the migration is {pause}. The comparison goes on by itself after 'cdcm resume'" : Snapshot() switch
    {
        "done" => null,
        "running" => "held: the initial snapshot is running; rows it has yet to publish are in no log. The comparison begins by itself when it is over ('cdcm tables')",
        _ => "held: it is not known whether the initial snapshot is over, for Kafka Connect does not say it and the log does not show it yet. The comparison begins by itself once it is",
    };
}
