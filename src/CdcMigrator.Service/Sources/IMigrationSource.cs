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
    /// Whether the log is known to hold every change committed before a position, of all tables in all partitions. Every call asks anew. The position is a
    /// marker's.
    /// </summary>
    Task<bool> IsConfirmedAsync(ulong position, CancellationToken cancellationToken);

    /// <summary>Writes a marker for an owner, in place of its earlier ones. Its position lies behind everything committed before the call.</summary>
    Task<FenceMarker> WriteMarkerAsync(string owner, CancellationToken cancellationToken);
}
