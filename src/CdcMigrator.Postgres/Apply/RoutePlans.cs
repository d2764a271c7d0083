using System.Runtime.CompilerServices;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using Npgsql;

namespace CdcMigrator.Postgres.Apply;

/// <summary>Plans by route. A route is replaced when the schema changes, so a plan lives as long as its route. Thread-safe.</summary>
internal sealed class RoutePlans
{
    private readonly ConditionalWeakTable<TableRoute, RoutePlan> plans = [];

    public async ValueTask<RoutePlan> GetAsync(NpgsqlConnection connection, TableRoute route, CancellationToken cancellationToken)
    {
        if (plans.TryGetValue(route, out var plan))
        {
            return plan;
        }

        var keys = await IndexColumns.ReadAsync(connection, route, route.Key.Name, cancellationToken);
        if (keys.Count != route.Key.Columns.Count)
        {
            throw new FaultException(FaultKind.Configuration, "schema-changed",
                $"Unique index {route.Key.Name} of {route.Target.Name} is not the one the target had when the migration read its schema",
                "Restore the key, or restart the service to read the schema anew");
        }

        plan = new RoutePlan(route, keys);
        plans.AddOrUpdate(route, plan);
        return plan;
    }
}
