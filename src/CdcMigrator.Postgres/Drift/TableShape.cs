namespace CdcMigrator.Postgres.Drift;

/// <summary>What identifies a table and its columns through renames and re-creation. Immutable; stored as JSON.</summary>
/// <param name="Oid">The table's oid: another one is another table, whatever its name.</param>
/// <param name="Columns">Columns in attribute order, dropped ones left out.</param>
public sealed record TableShape(uint Oid, IReadOnlyList<ShapeColumn> Columns)
{
    /// <summary>
    /// By what a publication has it, as <see cref="PublishedBy"/> is written; empty where none was asked for, or changes of it were left out when it was recorded first.
    /// </summary>
    public string Published { get; init; } = "";

    /// <summary>Names of the primary key's columns.</summary>
    internal IEnumerable<string> Key => Columns.Where(column => column.InKey).Select(column => column.Name);

    internal ShapeColumn? Find(string name) => Columns.FirstOrDefault(column => column.Name == name);

    internal ShapeColumn? Find(short number) => Columns.FirstOrDefault(column => column.Number == number);
}
