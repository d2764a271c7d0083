using System.Collections.Concurrent;
using System.Globalization;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Postgres.Apply;

/// <summary>SQL for one route: written once a kind and column set, from the target's catalog. Thread-safe.</summary>
internal sealed class RoutePlan(TableRoute route, IReadOnlyList<KeyColumn> keys)
{
    private readonly ConcurrentDictionary<string, GroupSql> groups = new(StringComparer.Ordinal);

    public TableRoute Route { get; } = route;

    public IReadOnlyList<KeyColumn> Keys { get; } = keys;

    /// <summary>See <see cref="KeyColumn.Exact"/>.</summary>
    public bool ExactKey { get; } = keys.All(key => key.Exact);

    public GroupSql For(RowGroup group) => groups.GetOrAdd(
        $"{(int)group.Kind}:{string.Join(',', group.Columns.Select(column => column.ToString(CultureInfo.InvariantCulture)))}",
        static (_, args) => GroupSql.Write(args.Plan, args.Group.Kind, args.Group.Columns),
        (Plan: this, Group: group));
}
