using System.Text;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Debezium.Envelopes;

/// <summary>A source table met in the log, with what was compiled for it.</summary>
internal sealed class TablePlan
{
    private readonly byte[] owner;
    private readonly byte[] table;

    /// <summary>Compiles the table's part that does not depend on a format.</summary>
    public TablePlan(TableName source, TableRole role, TableRoute? route, DebeziumSettings settings)
    {
        Source = source;
        Name = source.ToString();
        Role = role;
        Route = route;
        owner = Encoding.UTF8.GetBytes(source.Schema);
        table = Encoding.UTF8.GetBytes(source.Name);
        MissingInEvents = route is null ? [] : [.. Missing(route, settings)];
        Expected = route is null ? [] : [.. Enumerable.Range(0, route.Target.Columns.Count).Where(i => !route.Target.Columns[i].Generated && !route.IsExcluded(route.SourceColumns[i])).Except(MissingInEvents)];
        Required = [.. Expected.Where(i => route!.Target.Columns[i] is { NotNull: true, HasDefault: false })];
    }

    /// <summary>The table.</summary>
    public TableName Source { get; }

    /// <summary>Its name in messages.</summary>
    public string Name { get; }

    /// <summary>What it is to the migration.</summary>
    public TableRole Role { get; }

    /// <summary>Its route; null unless it is moved.</summary>
    public TableRoute? Route { get; }

    /// <summary>Columns that events never have a field for, though the source has the column: always reselected.</summary>
    public int[] MissingInEvents { get; }

    /// <summary>Target columns a row's event normally has a field for.</summary>
    public int[] Expected { get; }

    /// <summary>Those of them without which the target refuses a new row.</summary>
    public int[] Required { get; }

    /// <summary>Plans of this table's rows by the schema they were written with; the key of schemaless ones is the table plan itself.</summary>
    public Dictionary<object, RowPlan> Rows { get; } = new(ReferenceEqualityComparer.Instance);

    /// <summary>Plans of this table's keys, likewise.</summary>
    public Dictionary<object, RowPlan> Keys { get; } = new(ReferenceEqualityComparer.Instance);

    /// <summary>Whether a source block names this table.</summary>
    public bool IsOf(SourceBlock source) => source.Table.Is(table) && source.Owner.Is(owner);

    private static IEnumerable<int> Missing(TableRoute route, DebeziumSettings settings)
    {
        if (settings.PlainText || settings.IsMySqlFamily)
        {
            yield break;
        }

        for (var i = 0; i < route.Target.Columns.Count; i++)
        {
            var column = route.Target.Columns[i];
            if (!column.Generated && !route.IsExcluded(route.SourceColumns[i]) && Logical.UnfaithfulTypes.IsMissingInEvents(column.Type, settings))
            {
                yield return i;
            }
        }
    }
}
