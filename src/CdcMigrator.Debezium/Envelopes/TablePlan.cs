using System.Text;
using CdcMigrator.Domain.Changes;
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
        Expected = [];
        ReadWhereAbsent = [];
        ReadInSnapshots = [];
        if (route is not null)
        {
            var written = Enumerable.Range(0, route.Target.Columns.Count).Where(i => !route.Target.Columns[i].Generated && !route.IsExcluded(route.SourceColumns[i])).ToArray();
            var never = settings.PlainText || settings.IsMySqlFamily ? [] : written.Where(i => Logical.UnfaithfulTypes.IsMissingInEvents(route.TypeOf(i), settings)).ToArray();
            Expected = [.. written.Except(never)];
            ReadWhereAbsent = route.SourceIsKnown ? [.. written.Where(i => route.SourceOf(i) is not null && !route.Key.Columns.Contains(i))] : [.. written.Where(i => never.Contains(i) || route.ReadAgainOf(i) == ReadAgain.Always)];
            ReadInSnapshots = [.. written.Where(i => route.ReadAgainOf(i) == ReadAgain.Snapshot)];
        }

        Required = [.. Expected.Except(ReadWhereAbsent).Where(i => route!.Target.Columns[i] is { NotNull: true, HasDefault: false })];
    }

    /// <summary>The table.</summary>
    public TableName Source { get; }

    /// <summary>Its name in messages.</summary>
    public string Name { get; }

    /// <summary>What it is to the migration.</summary>
    public TableRole Role { get; }

    /// <summary>Its route; null unless it is moved.</summary>
    public TableRoute? Route { get; }

    /// <summary>
    /// Columns that are read from the source where a row's event has no field for them: all that the source has, because what a connector leaves
    /// out (types it has no converter for, columns it is told to exclude) would else be lost without a trace.
    /// </summary>
    public int[] ReadWhereAbsent { get; }

    /// <summary>Columns whose values in snapshot rows cannot be trusted, for what the source holds in them.</summary>
    public int[] ReadInSnapshots { get; }

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

    /// <summary>Columns of the open row whose values the event lacks, or whose values in snapshot rows are not to be believed.</summary>
    public void LeaveToTheSource(ChangeBatch batch, bool snapshotRow)
    {
        foreach (var ordinal in ReadWhereAbsent)
        {
            if (batch.OpenSlot(ordinal).State == ColumnState.Absent)
            {
                batch.SetUnfaithful(ordinal);
            }
        }

        foreach (var ordinal in snapshotRow ? ReadInSnapshots : [])
        {
            batch.SetUnfaithful(ordinal);
        }
    }
}
