using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Postgres.Apply;

/// <summary>Rows of one table that one statement writes: same kind, same columns.</summary>
/// <param name="Route">Their table.</param>
/// <param name="Kind">What the statement does.</param>
/// <param name="Columns">Ordinals of the columns carried, ascending; the key's among them.</param>
internal sealed record RowGroup(TableRoute Route, WriteKind Kind, int[] Columns)
{
    /// <summary>Indices into the net effect's rows, in the order of their last changes.</summary>
    public List<int> Rows { get; } = [];

    /// <summary>Bytes of the values carried.</summary>
    public long Bytes { get; set; }

    /// <summary>Whether all its rows are <see cref="NetRow.Fresh"/>.</summary>
    public bool Fresh { get; set; } = true;

    /// <summary>Takes in the rows of a group of the same table and columns.</summary>
    public void Add(RowGroup other)
    {
        Rows.AddRange(other.Rows);
        Bytes += other.Bytes;
        Fresh &= other.Fresh;
    }

    /// <summary>Whether it is worth COPY's round trips: with arrays, each value costs a string.</summary>
    public bool IsLarge => Rows.Count >= 500 || Bytes >= 1 << 20;
}
