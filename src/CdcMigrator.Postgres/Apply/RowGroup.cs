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
}
