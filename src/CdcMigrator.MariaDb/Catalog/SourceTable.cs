using CdcMigrator.Domain.Tables;

namespace CdcMigrator.MariaDb.Catalog;

/// <summary>A table of a MariaDB or MySQL source.</summary>
/// <param name="Name">Database and table.</param>
/// <param name="Columns">In their order.</param>
public sealed record SourceTable(TableName Name, IReadOnlyList<SourceColumn> Columns)
{
    /// <summary>Whether it is a base table; a view or a sequence is not.</summary>
    public bool IsTable { get; init; }

    /// <summary>Storage engine.</summary>
    public string Engine { get; init; } = "";

    /// <summary>Columns by which Debezium identifies rows: the primary key, else the first unique key of columns that are not NULL; empty where there is none.</summary>
    public IReadOnlyList<string> Key { get; init; } = [];

    /// <summary>The key is the primary key.</summary>
    public bool HasPrimaryKey { get; init; }

    /// <summary>The column of that name; null where there is none. Names of columns ignore case.</summary>
    public SourceColumn? Find(string name) => Columns.FirstOrDefault(column => column.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
}
