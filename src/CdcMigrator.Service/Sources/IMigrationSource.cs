using CdcMigrator.Postgres.Apply;
using CdcMigrator.Postgres.Fencing;

namespace CdcMigrator.Service.Sources;

/// <summary>What the service asks of the database that is left, whatever its engine. Thread-safe. Faults as everywhere; NpgsqlException from a PostgreSQL source.</summary>
internal interface IMigrationSource : IAsyncDisposable
{
    /// <summary>Reads rows by key, for what events do not carry.</summary>
    ISourceRows Rows { get; }

    /// <summary>Creates what the source needs to be read from: the fence table. Idempotent.</summary>
    Task PrepareAsync(CancellationToken cancellationToken);

    /// <summary>The history its positions belong to.</summary>
    Task<SourceIdentity> ReadIdentityAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Position up to which the log holds every change, of all tables in all partitions; 0 where that is not known yet. Comparable with the
    /// position of a marker.
    /// </summary>
    Task<ulong> ReadConfirmedAsync(CancellationToken cancellationToken);

    /// <summary>Writes a marker for an owner, in place of its earlier ones. Its position lies behind everything committed before the call.</summary>
    Task<FenceMarker> WriteMarkerAsync(string owner, CancellationToken cancellationToken);
}
