using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.Comparing;

/// <summary>Snapshots of a PostgreSQL source and its target.</summary>
public sealed class PostgresSides : IComparedSides
{
    private readonly NpgsqlDataSource source;
    private readonly NpgsqlDataSource target;
    private readonly string migration;
    private readonly Func<string?> cluster;

    /// <summary>Compares between these two.</summary>
    /// <param name="source">Sessions of <see cref="Connections.PostgresConnections.CreateVerify"/> on the source's primary.</param>
    /// <param name="target">Sessions of <see cref="Connections.PostgresConnections.CreateVerify"/> on the target.</param>
    /// <param name="migration">Name of the migration, whose lanes write the target.</param>
    /// <param name="cluster">
    /// The log whose offsets count, asked for at each snapshot: the embedded log's incarnation, whose offsets say nothing of another's; null for all lanes.
    /// </param>
    public PostgresSides(NpgsqlDataSource source, NpgsqlDataSource target, string migration, Func<string?> cluster)
    {
        this.source = source;
        this.target = target;
        this.migration = migration;
        this.cluster = cluster;
    }

    /// <summary>How both databases hash rows.</summary>
    internal HashSql Hashes { get; init; } = HashSql.InUse;

    /// <inheritdoc />
    public async Task<ISourceSnapshot> OpenSourceAsync(CancellationToken cancellationToken) => await SourceSnapshot.OpenAsync(source, Hashes, cancellationToken);

    /// <inheritdoc />
    public async Task<ITargetSnapshot> OpenTargetAsync(CancellationToken cancellationToken) => await TargetSnapshot.OpenAsync(target, Hashes, migration, cluster(), cancellationToken);

    /// <summary>A snapshot of a PostgreSQL target, whatever its source.</summary>
    /// <exception cref="FaultException">Unreachable, Transient, Configuration: the target does not answer, or has no control tables.</exception>
    public static async Task<ITargetSnapshot> OpenTargetAsync(NpgsqlDataSource target, string migration, string? cluster, CancellationToken cancellationToken) =>
        await TargetSnapshot.OpenAsync(target, HashSql.InUse, migration, cluster, cancellationToken);
}
