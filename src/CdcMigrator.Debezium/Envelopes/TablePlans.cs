using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Debezium.Envelopes;

/// <summary>The tables met in a lane. Starts anew when the routes are swapped, because everything compiled hangs on them.</summary>
internal sealed class TablePlans(DebeziumSettings settings, Func<RouteTable> routes)
{
    private readonly List<TablePlan> plans = [];
    private RouteTable? current;
    private TablePlan? last;

    /// <summary>The plan of the table that a source block names.</summary>
    public TablePlan Find(SourceBlock source)
    {
        var table = routes();
        if (!ReferenceEquals(table, current))
        {
            current = table;
            plans.Clear();
            last = null;
        }

        if (last is not null && last.IsOf(source))
        {
            return last;
        }

        foreach (var plan in plans)
        {
            if (plan.IsOf(source))
            {
                return last = plan;
            }
        }

        last = Compile(source.ToTableName(), table);
        plans.Add(last);
        return last;
    }

    private TablePlan Compile(TableName name, RouteTable table)
    {
        if (name == settings.FenceTable)
        {
            return new TablePlan(name, TableRole.Fence, null, settings);
        }

        if (name == settings.SignalTable)
        {
            return new TablePlan(name, TableRole.Signal, null, settings);
        }

        var route = table.Find(name);
        return new TablePlan(name, route is null ? TableRole.Ignored : TableRole.Routed, route, settings);
    }
}
