using CdcMigrator.Domain.Comparing;
using CdcMigrator.Postgres.Comparing;
using MySqlConnector;
using Npgsql;

namespace CdcMigrator.MariaDb.Comparing;

/// <summary>Snapshots of a MariaDB source and its PostgreSQL target, of tables from <see cref="MariaDbComparedTables"/>.</summary>
public sealed class MariaDbSides : IComparedSides
{
    private readonly MySqlDataSource source;
    private readonly NpgsqlDataSource target;
    private readonly string migration;
    private readonly Func<string?> cluster;

    /// <summary>Compares between these two.</summary>
    /// <param name="source">The source's pool; the server the connector reads, for positions of another's binlog say nothing.</param>
    /// <param name="target">Sessions of <see cref="Postgres.Connections.PostgresConnections.CreateVerify"/> on the target.</param>
    /// <param name="migration">Name of the migration, whose lanes write the target.</param>
    /// <param name="cluster">The log whose offsets count, asked for at each snapshot; null for all lanes.</param>
    public MariaDbSides(MySqlDataSource source, NpgsqlDataSource target, string migration, Func<string?> cluster)
    {
        this.source = source;
        this.target = target;
        this.migration = migration;
        this.cluster = cluster;
    }

    /// <inheritdoc />
    public async Task<ISourceSnapshot> OpenSourceAsync(CancellationToken cancellationToken) => await MariaDbSnapshot.OpenAsync(source, cancellationToken);

    /// <inheritdoc />
    public Task<ITargetSnapshot> OpenTargetAsync(CancellationToken cancellationToken) => PostgresSides.OpenTargetAsync(target, migration, cluster(), cancellationToken);
}
