using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Postgres.Faults;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace CdcMigrator.Postgres.Apply;

/// <summary>The target's progress table and the writers that move it. Thread-safe; one a process and migration.</summary>
public sealed class PostgresLaneStore : ILaneStore, IAsyncDisposable
{
    /// <summary>Makes the store; connects on first use.</summary>
    /// <param name="target">Apply sessions, from <see cref="Connections.PostgresConnections.CreateApply"/>; not disposed.</param>
    /// <param name="migration">Migration's name, part of the key of its progress.</param>
    /// <param name="options">Limits.</param>
    /// <param name="source">Where missing columns are read; null refuses changes that lack columns they need.</param>
    /// <param name="metrics">Where to count.</param>
    /// <param name="time">Clock.</param>
    /// <param name="log">Where to log.</param>
    public PostgresLaneStore(
        NpgsqlDataSource target, string migration, ApplySection options, ISourceRows? source, PostgresMetrics metrics, TimeProvider time, ILogger log)
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(options);
        Target = target;
        Migration = migration;
        Options = options;
        Source = source;
        Metrics = metrics;
        Time = time;
        Log = log;
        Sessions = new ApplySessions(target, options.Writers);
        Reselection = new Reselection(source);
        Snapshots = new SnapshotWatch(this);
    }

    internal NpgsqlDataSource Target { get; }

    internal string Migration { get; }

    internal ApplySection Options { get; }

    internal ISourceRows? Source { get; }

    internal PostgresMetrics Metrics { get; }

    internal TimeProvider Time { get; }

    internal ILogger Log { get; }

    internal ApplySessions Sessions { get; }

    internal RoutePlans Plans { get; } = new();

    internal Reselection Reselection { get; }

    internal SnapshotWatch Snapshots { get; }

    /// <inheritdoc />
    public async Task<ILaneWriter> ClaimAsync(LaneId lane, LogIdentity identity, long logStart, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(identity);
        try
        {
            var (progress, parked, truncations) = await new LaneClaim(this, lane).TakeAsync(identity, logStart, cancellationToken);
            return new PostgresLaneWriter(this, progress, parked, truncations, identity);
        }
        catch (Exception exception) when (exception is not OperationCanceledException and not FaultException)
        {
            throw new FaultException(PostgresFaults.Classify(exception) with { Lane = lane }, exception);
        }
    }

    /// <inheritdoc />
    public async Task<IReadOnlyList<LaneProgress>> ReadProgressAsync(CancellationToken cancellationToken)
    {
        ApplySession? session = null;
        try
        {
            session = await Sessions.TakeAsync(cancellationToken);
            var progress = await ProgressTable.ReadAsync(session.Connection, Migration, cancellationToken);
            await Sessions.ReturnAsync(session);
            return progress;
        }
        catch (Exception exception)
        {
            if (session is not null)
            {
                await ApplySessions.DiscardAsync(session);
            }

            if (exception is OperationCanceledException)
            {
                throw;
            }

            throw PostgresFaults.ToException(exception);
        }
    }

    /// <summary>Closes the sessions in stock; those in use are closed by their users.</summary>
    public ValueTask DisposeAsync() => Sessions.DisposeAsync();
}
