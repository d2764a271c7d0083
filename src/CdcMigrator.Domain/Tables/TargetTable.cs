namespace CdcMigrator.Domain.Tables;

/// <summary>A target table as its catalog describes it.</summary>
public sealed record TargetTable
{
    /// <summary>Name in the target.</summary>
    public required TableName Name { get; init; }

    /// <summary>Columns in attribute order, dropped ones left out.</summary>
    public required IReadOnlyList<TargetColumn> Columns { get; init; }

    /// <summary>Keys that can identify a row, the primary key first.</summary>
    public required IReadOnlyList<UniqueKey> Keys { get; init; }

    /// <summary>Whether a change to one row can collide with another row beside its key: further unique indexes or exclusion constraints exist.</summary>
    public bool HasSecondaryUniqueness { get; init; }

    /// <summary>Ordinal of a column; -1 where there is none.</summary>
    public int IndexOf(string column)
    {
        for (var i = 0; i < Columns.Count; i++)
        {
            if (string.Equals(Columns[i].Name, column, StringComparison.Ordinal))
            {
                return i;
            }
        }

        return -1;
    }
}
