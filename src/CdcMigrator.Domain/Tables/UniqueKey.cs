namespace CdcMigrator.Domain.Tables;

/// <summary>A unique index usable to identify a row: all columns plain, no predicate.</summary>
/// <param name="Name">Name of the index.</param>
/// <param name="Columns">Ordinals in <see cref="TargetTable.Columns"/>, in index order.</param>
/// <param name="IsPrimary">Whether it is the primary key.</param>
public sealed record UniqueKey(string Name, IReadOnlyList<int> Columns, bool IsPrimary)
{
    /// <summary>What stands in the place of a key where a table is moved without one.</summary>
    public static UniqueKey None { get; } = new("", [], IsPrimary: false);
}
