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

    /// <summary>Reads the source's catalog, where events are to be read by it, for the routes given; set before decoders run.</summary>
    public Func<RouteTable, CancellationToken, Task<IReadOnlyDictionary<TableName, IReadOnlyDictionary<string, OriginColumn>>>>? Source { get; set; }

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
        var found = await TargetCatalog.LoadAsync(target, mappings, cancellationToken);
        var now = WithSource(found, await SourceAsync(found, cancellationToken));
        var earlier = read;
        var change = earlier is null ? "" : Describe(earlier, now);
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

        foreach (var (table, column) in earlier is null ? [] : NewDefaults(earlier, now))
        {
            RuntimeLog.ZeroDateDefaultChanged(log, table, column);
        }
    }

    /// <summary>Dates with another default than before: without schemas a zero date written since would have been taken for it.</summary>
    private static IEnumerable<(TableName Table, string Column)> NewDefaults(RouteTable before, RouteTable after) =>
        from route in after.All
        let old = before.Find(route.Source)
        where old is not null
        from column in route.SourceColumns
        let now = route.SourceOf(route.OrdinalOfSource(column))?.ZeroDateDefault
        where now is not null && old.OrdinalOfSource(column) is >= 0 and var ordinal && old.SourceOf(ordinal) is { } known && known.ZeroDateDefault != now
        select (route.Source, column);

    /// <summary>What is known of the source stays known while it does not answer.</summary>
    private async Task<IReadOnlyDictionary<TableName, IReadOnlyDictionary<string, OriginColumn>>> SourceAsync(RouteTable found, CancellationToken cancellationToken)
    {
        try
        {
            columns = Source is null ? columns : await Source(found, cancellationToken);
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
