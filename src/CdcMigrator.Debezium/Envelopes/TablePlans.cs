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
        var table = Current();
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

    /// <summary>The plan of the one table whose records a topic holds; null where it is none of the migration's, or tables share the topic.</summary>
    public TablePlan? FindByTopic(string topic)
    {
        var table = Current();
        var names = table.All.Select(route => route.Source).Append(settings.FenceTable)
            .Where(name => TopicOf(name) == topic).Take(2).ToList();
        return names.Count == 1 ? Compile(names[0], table) : null;
    }

    /// <summary>As Debezium names topics: what Kafka does not allow in a name becomes <c>_</c>.</summary>
    private string TopicOf(TableName name) =>
        string.Concat($"{settings.TopicPrefix}.{name.Schema}.{name.Name}".Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' ? c : '_'));

    private RouteTable Current()
    {
        var table = routes();
        if (!ReferenceEquals(table, current))
        {
            current = table;
            plans.Clear();
            last = null;
        }

        return table;
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
