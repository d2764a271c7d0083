using CdcMigrator.Postgres.Apply;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Postgres.Fencing;
using Npgsql;

namespace CdcMigrator.Service.Sources;

/// <summary>
/// A PostgreSQL source. What its replication slot has confirmed is in the embedded log. In Kafka it need not be: Debezium confirms what stands before the record that was
/// acknowledged last, and the broker acknowledges partitions in no order. Connect stores an offset only once every record before it was acknowledged, so it is asked too.
/// </summary>
internal sealed class PostgresSource : IMigrationSource
{
    private readonly NpgsqlDataSource read;
    private readonly string slot;
    private readonly StoredOffset? stored;

    /// <summary>Makes the source, which then owns the offset; connects on first use. Without one, as with the embedded log, the slot alone says what is confirmed.</summary>
    public PostgresSource(string connection, string slot, StoredOffset? stored, TimeProvider time)
    {
        this.stored = stored;
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
    public async Task<bool> IsConfirmedAsync(ulong position, CancellationToken cancellationToken) =>
        await SlotState.ReadAsync(Control, slot, cancellationToken) is { } state && state.ConfirmedFlushLsn >= position
        && (stored is null || await stored.IsBehindAsync(position, cancellationToken));

    /// <inheritdoc />
    public Task<FenceMarker> WriteMarkerAsync(string owner, CancellationToken cancellationToken) => FenceTable.WriteMarkerAsync(Control, owner, cancellationToken);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await read.DisposeAsync();
        await Verify.DisposeAsync();
        await Control.DisposeAsync();
        stored?.Dispose();
    }
}
