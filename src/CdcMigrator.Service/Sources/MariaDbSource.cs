using CdcMigrator.Connect.Rest;
using CdcMigrator.Domain.Faults;
using CdcMigrator.MariaDb.Apply;
using CdcMigrator.MariaDb.Catalog;
using CdcMigrator.MariaDb.Connections;
using CdcMigrator.MariaDb.Fencing;
using CdcMigrator.Postgres.Apply;
using CdcMigrator.Postgres.Fencing;
using MySqlConnector;
using FenceTable = CdcMigrator.MariaDb.Fencing.FenceTable;

namespace CdcMigrator.Service.Sources;

/// <summary>
/// A MariaDB or MySQL source. It has no slot that would know how far it was read; Kafka Connect stores that for its connector, and only
/// what the broker has acknowledged.
/// </summary>
internal sealed class MariaDbSource : IMigrationSource
{
    private readonly ConnectClient? connect;
    private readonly string? connector;

    /// <summary>Makes the source; connects on first use. Without Connect nothing proves how far the source was read.</summary>
    public MariaDbSource(string connection, ConnectClient? connect, string? connector, TimeProvider time)
    {
        Database = MariaDbConnections.Create(connection);
        this.connect = connect;
        this.connector = connector;
        Rows = new MariaDbRows(Database);
        Origin = new MariaDbOrigin(Database, time);
    }

    /// <summary>The pool, for snapshots to compare.</summary>
    public MySqlDataSource Database { get; }

    /// <summary>What the source's catalog says of its columns.</summary>
    public MariaDbOrigin Origin { get; }

    /// <inheritdoc />
    public ISourceRows Rows { get; }

    /// <inheritdoc />
    public Task PrepareAsync(CancellationToken cancellationToken) => FenceTable.PrepareAsync(Database, cancellationToken);

    /// <inheritdoc />
    public Task<SourceIdentity> ReadIdentityAsync(CancellationToken cancellationToken) => FenceTable.ReadIdentityAsync(Database, cancellationToken);

    /// <inheritdoc />
    public async Task<bool> IsConfirmedAsync(ulong position, CancellationToken cancellationToken)
    {
        if (connect is null || connector is null)
        {
            throw new FaultException(FaultKind.NotAllowed, "no-connect-section", "How far the source was read is known to Kafka Connect only, which the migration file does not name",
                "Add connect.url and connect.connector");
        }

        var offsets = await connect.GetOffsetsAsync(connector, cancellationToken);
        return offsets.Count > 0 && offsets.Min(offset => BinlogPosition.OfConnectorOffset(offset.Offset).Value) >= position;
    }

    /// <inheritdoc />
    public Task<FenceMarker> WriteMarkerAsync(string owner, CancellationToken cancellationToken) => FenceTable.WriteMarkerAsync(Database, owner, cancellationToken);

    /// <inheritdoc />
    public ValueTask DisposeAsync() => Database.DisposeAsync();
}
