using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Status;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Catalog;
using Npgsql;

namespace CdcMigrator.Service.Runtime;

/// <summary>Holds the routes and reads the target's catalog again while lanes are halted, so that they go on once the target was changed.</summary>
internal sealed class RouteKeeper(NpgsqlDataSource target, IReadOnlyList<TableMapping> mappings, ILogger log)
{
    private volatile RouteTable? routes;

    /// <summary>The routes as last read; null before the first success.</summary>
    public RouteTable? Routes => routes;

    /// <summary>The routes, for decoders that run only after the first success.</summary>
    public RouteTable Current() => routes ?? throw new InvalidOperationException("the target's catalog was not read yet");

    /// <summary>Reads the catalog.</summary>
    /// <exception cref="FaultException">Unreachable, or Configuration naming every missing table.</exception>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        var read = await TargetCatalog.LoadAsync(target, mappings, cancellationToken);
        var change = routes is { } before ? Describe(before, read) : "";
        // The same tables keep their routes: plans compiled for them stay valid.
        if (routes is null || change.Length > 0)
        {
            routes = read;
        }

        if (change.Length > 0)
        {
            RuntimeLog.RoutesChanged(log, change);
        }
    }

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

    private static string Describe(RouteTable before, RouteTable after) => string.Join("; ", after.All
        .Where(route => before.Find(route.Source) is not { } old || !Signature(old).SequenceEqual(Signature(route)))
        .Select(route => $"{route.Target.Name} has {string.Join(", ", route.Target.Columns.Select(column => column.Name))}"));

    private static IEnumerable<string> Signature(TableRoute route) => route.Target.Columns
        .Select(column => $"{column.Name} {column.Type.Sql} {column.Type.Modifier} {column.Type.Element?.Sql} {column.Generated} {column.NotNull} {column.IdentityAlways}")
        .Append($"{route.Key.Name} {string.Join(',', route.Key.Columns)}")
        .Append($"{route.Target.HasSecondaryUniqueness}");
}
