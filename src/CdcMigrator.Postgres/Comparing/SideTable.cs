using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Postgres.Comparing;

/// <summary>A table as one side's catalog has it.</summary>
/// <param name="Name">Schema and name.</param>
/// <param name="Kind">Its <c>relkind</c>: r or p for what can be compared.</param>
/// <param name="Columns">In their order, dropped ones left out.</param>
/// <param name="Keys">What can identify rows: those that are not deferrable first, of them the primary key.</param>
internal sealed record SideTable(TableName Name, char Kind, IReadOnlyList<SideColumn> Columns, IReadOnlyList<SideKey> Keys)
{
    /// <summary>Other tables inherit from it without being its partitions, so that reading it reads their rows too.</summary>
    public bool HasHeirs { get; init; }

    /// <summary>Rows as the planner estimates them; of a partitioned table those of its partitions.</summary>
    public long EstimatedRows { get; init; }

    /// <summary>The column of that name; null where there is none.</summary>
    public SideColumn? Find(string name) => Columns.FirstOrDefault(column => column.Name == name);
}
