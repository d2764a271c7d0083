using System.Collections.Concurrent;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded.Publishing;

namespace CdcMigrator.Embedded.Replication;

/// <summary>Counts the rows a snapshot has published. One writer, any readers.</summary>
internal sealed class SnapshotProgress
{
    private readonly ConcurrentDictionary<TableName, SnapshotTableProgress> tables = new();

    /// <summary>All tables, by name.</summary>
    public IReadOnlyList<SnapshotTableProgress> Tables => [.. tables.Values.OrderBy(table => table.Table)];

    /// <summary>Begins at zero.</summary>
    public void Start(IReadOnlyList<SourceTable> names)
    {
        foreach (var name in names)
        {
            tables[name.Name] = new SnapshotTableProgress(name.Name, 0, false);
        }
    }

    /// <summary>Says how many rows of the table are published.</summary>
    public void Note(TableName table, long rows, bool published) => tables[table] = new SnapshotTableProgress(table, rows, published);
}
