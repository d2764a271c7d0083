using System.Collections.Frozen;

namespace CdcMigrator.Domain.Tables;

/// <summary>All routes of a migration by source table. Immutable; swapped whole when the target's schema changes.</summary>
public sealed class RouteTable
{
    private readonly FrozenDictionary<TableName, TableRoute> routes;

    /// <summary>Makes the table of these routes.</summary>
    public RouteTable(IEnumerable<TableRoute> routes) => this.routes = routes.ToFrozenDictionary(route => route.Source);

    /// <summary>All routes, in no order.</summary>
    public IReadOnlyCollection<TableRoute> All => routes.Values;

    /// <summary>The route of a source table; null where the migration does not name it.</summary>
    public TableRoute? Find(TableName source) => routes.GetValueOrDefault(source);
}
