using System.Text.Json;
using CdcMigrator.Domain.Faults;

namespace CdcMigrator.Embedded.Publishing;

/// <summary>A table with the columns its rows have from some point of the stream on. Immutable; DDL makes a new one.</summary>
internal sealed class RowShape
{
    /// <summary>Makes the shape of these columns.</summary>
    /// <exception cref="FaultException">LogBroken: a key column is gone.</exception>
    public RowShape(SourceTable table, IReadOnlyList<string> columns)
    {
        Table = table;
        Names = [.. columns.Select(column => JsonEncodedText.Encode(column, RecordWriter.Encoder))];
        Key = [.. table.Key.Select(key => IndexOf(table, columns, key))];
    }

    /// <summary>The table.</summary>
    public SourceTable Table { get; }

    /// <summary>Column names, escaped.</summary>
    public JsonEncodedText[] Names { get; }

    /// <summary>Ordinals of the key columns, in index order.</summary>
    public int[] Key { get; }

    private static int IndexOf(SourceTable table, IReadOnlyList<string> columns, string key)
    {
        for (var i = 0; i < columns.Count; i++)
        {
            if (columns[i] == key)
            {
                return i;
            }
        }

        throw new FaultException(new Fault(FaultKind.LogBroken, "key-changed",
            $"Key column {key} of {table.Name} was dropped or renamed in the source",
            "Restore the column's name, or move the table in a migration of its own")
        { Table = table.Name.ToString() });
    }
}
