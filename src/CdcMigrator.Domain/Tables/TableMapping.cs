namespace CdcMigrator.Domain.Tables;

/// <summary>How one source table maps to the target, from the migration file.</summary>
public sealed record TableMapping
{
    /// <summary>Name in the source.</summary>
    public required TableName Source { get; init; }

    /// <summary>Name in the target; the source's unless the file says otherwise.</summary>
    public required TableName Target { get; init; }

    /// <summary>Source columns that are not migrated.</summary>
    public IReadOnlySet<string> Exclude { get; init; } = new HashSet<string>(StringComparer.Ordinal);

    /// <summary>Source columns whose values are never taken from events but always read from the source by key.</summary>
    public IReadOnlySet<string> Reselect { get; init; } = new HashSet<string>(StringComparer.Ordinal);

    /// <summary>Source column to target column, for those whose names differ.</summary>
    public IReadOnlyDictionary<string, string> Rename { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>What the file says of single columns, by source column; MariaDB and MySQL sources.</summary>
    public IReadOnlyDictionary<string, ColumnMapping> Columns { get; init; } = new Dictionary<string, ColumnMapping>(StringComparer.Ordinal);

    /// <summary>Rows have no key: each change writes, deletes or updates one physical row, found by all of its columns.</summary>
    public bool Keyless { get; init; }

    /// <summary>The table's topic has one partition, so that everything in it is in order: what a TRUNCATE needs, and a table without a key.</summary>
    public bool OnePartition { get; init; }

    /// <summary>The same table the other way. Columns that are left out stay as they are in the source, though the target may have them too.</summary>
    public TableMapping TurnedRound() => new()
    {
        Source = Target,
        Target = Source,
        Exclude = Exclude.Except(Rename.Values, StringComparer.Ordinal).ToHashSet(StringComparer.Ordinal),
        Reselect = Reselect.Select(column => Rename.GetValueOrDefault(column, column)).ToHashSet(StringComparer.Ordinal),
        Rename = Rename.ToDictionary(column => column.Value, column => column.Key, StringComparer.Ordinal),
        Keyless = Keyless,
        OnePartition = OnePartition,
    };
}
