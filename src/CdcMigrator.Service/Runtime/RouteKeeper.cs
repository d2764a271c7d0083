using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Status;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Catalog;
using Npgsql;

namespace CdcMigrator.Service.Runtime;

/// <summary>Holds the routes and reads the target's catalog again while lanes are halted, so that they go on once the target was changed.</summary>
internal sealed class RouteKeeper(NpgsqlDataSource target, IReadOnlyList<TableMapping> mappings, ILogger log)
{
    private volatile RouteTable? read;
    private volatile RouteTable? routes;
    private IReadOnlyDictionary<TableName, Fault> halted = new Dictionary<TableName, Fault>();
    private IReadOnlyDictionary<TableName, IReadOnlyDictionary<string, OriginColumn>> columns = new Dictionary<TableName, IReadOnlyDictionary<string, OriginColumn>>();

    /// <summary>The source's catalog, where events are to be read by it; set before decoders run.</summary>
    public OriginCatalog? Source { get; set; }

    /// <summary>The routes as last read; null before the first success.</summary>
    public RouteTable? Routes => routes;

    /// <summary>The routes, for decoders that run only after the first success.</summary>
    public RouteTable Current() => routes ?? throw new InvalidOperationException("the target's catalog was not read yet");

    /// <summary>Reads the catalog, and lets no event of some tables through.</summary>
    /// <param name="stopped">Why each of them is stopped.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="FaultException">Unreachable, or Configuration naming every missing table.</exception>
    public async Task LoadAsync(IReadOnlyDictionary<TableName, Fault> stopped, CancellationToken cancellationToken)
    {
        if (read is not null && !(stopped.Count == halted.Count && stopped.All(table => halted.TryGetValue(table.Key, out var fault) && fault == table.Value)))
        {
            halted = stopped;
            routes = Publish(read);
        }

        await LoadAsync(cancellationToken);
    }

    /// <summary>Reads the catalog.</summary>
    /// <exception cref="FaultException">Unreachable, or Configuration naming every missing table.</exception>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        var now = WithSource(await TargetCatalog.LoadAsync(target, mappings, cancellationToken), await SourceAsync(cancellationToken));
        var change = read is { } before ? Describe(before, now) : "";
        // The same tables keep their routes: plans compiled for them stay valid.
        if (read is null || change.Length > 0)
        {
            read = now;
            routes = Publish(now);
        }

        if (change.Length > 0)
        {
            RuntimeLog.RoutesChanged(log, change);
        }
    }

    /// <summary>What is known of the source stays known while it does not answer.</summary>
    private async Task<IReadOnlyDictionary<TableName, IReadOnlyDictionary<string, OriginColumn>>> SourceAsync(CancellationToken cancellationToken)
    {
        try
        {
            columns = Source is null ? columns : await Source.LoadAsync(mappings, cancellationToken);
        }
        catch (FaultException) when (columns.Count > 0)
        {
            // The target's tables may have changed all the same.
        }

        return columns;
    }

    private static RouteTable WithSource(RouteTable table, IReadOnlyDictionary<TableName, IReadOnlyDictionary<string, OriginColumn>> columns) =>
        columns.Count == 0 ? table : new RouteTable(table.All.Select(route => columns.TryGetValue(route.Source, out var known) ? route.WithSource(known) : route));

    /// <summary>Reads the catalog again if a lane is halted by something a change of the target can heal.</summary>
    public async Task RefreshAsync(PipelineStatus pipeline, CancellationToken cancellationToken)
    {
        if (pipeline.Lanes.Any(lane => lane is { State: LaneState.Halted, Fault.Kind: FaultKind.Poison or FaultKind.Configuration }))
        {
            try
            {
                await LoadAsync(cancellationToken);
            }
            catch (FaultException)
            {
                // The lane's own fault already says what is missing; the next turn tries again.
            }
        }
    }

    private RouteTable Publish(RouteTable table) => new(table.All.Select(route =>
        halted.TryGetValue(route.Source, out var fault) ? new TableRoute(route.Mapping, route.Target, route.Key) { Halted = fault } : route));

    private static string Describe(RouteTable before, RouteTable after) => string.Join("; ", after.All
        .Where(route => before.Find(route.Source) is not { } old || !Signature(old).SequenceEqual(Signature(route)))
        .Select(route => $"{route.Target.Name} has {string.Join(", ", route.Target.Columns.Select(column => column.Name))}"));

    private static IEnumerable<string> Signature(TableRoute route) => route.Target.Columns
        .Select(column => $"{column.Name} {column.Type.Sql} {column.Type.Modifier} {column.Type.Element?.Sql} {column.Generated} {column.NotNull} {column.HasDefault} {column.IdentityAlways}")
        .Concat(Enumerable.Range(0, route.Target.Columns.Count).Select(i => $"{route.SourceOf(i)}"))
        .Append($"{route.Key.Name} {string.Join(',', route.Key.Columns)}")
        .Append($"{route.Target.HasSecondaryUniqueness}");
}
