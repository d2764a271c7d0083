using CdcMigrator.Postgres.Apply;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Postgres.Fencing;
using Npgsql;

namespace CdcMigrator.Service.Sources;

/// <summary>A PostgreSQL source. The log holds what its replication slot has confirmed.</summary>
internal sealed class PostgresSource : IMigrationSource
{
    private readonly NpgsqlDataSource read;
    private readonly string slot;

    /// <summary>Makes the source; connects on first use.</summary>
    public PostgresSource(string connection, string slot, TimeProvider time)
    {
        read = PostgresConnections.CreateSourceRead(connection);
        Control = PostgresConnections.CreateControl(connection);
        Verify = PostgresConnections.CreateVerify(connection);
        this.slot = slot;
        Rows = new SourceRows(read, time);
    }

    /// <inheritdoc />
    public ISourceRows Rows { get; }

    /// <summary>Control sessions, for what only PostgreSQL sources are watched for.</summary>
    public NpgsqlDataSource Control { get; }

    /// <summary>Sessions that hold snapshots to compare.</summary>
    public NpgsqlDataSource Verify { get; }

    /// <inheritdoc />
    public Task PrepareAsync(CancellationToken cancellationToken) => ControlSchema.PrepareSourceAsync(Control, cancellationToken);

    /// <inheritdoc />
    public Task<SourceIdentity> ReadIdentityAsync(CancellationToken cancellationToken) => SourceIdentity.ReadAsync(Control, cancellationToken);

    /// <inheritdoc />
    public async Task<ulong> ReadConfirmedAsync(CancellationToken cancellationToken) =>
        (await SlotState.ReadAsync(Control, slot, cancellationToken))?.ConfirmedFlushLsn ?? 0;

    /// <inheritdoc />
    public Task<FenceMarker> WriteMarkerAsync(string owner, CancellationToken cancellationToken) => FenceTable.WriteMarkerAsync(Control, owner, cancellationToken);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await read.DisposeAsync();
        await Verify.DisposeAsync();
        await Control.DisposeAsync();
    }
}
