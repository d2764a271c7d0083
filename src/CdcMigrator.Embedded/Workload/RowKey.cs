namespace CdcMigrator.Embedded.Workload;

/// <summary>A row of the shop.</summary>
/// <param name="Table">Table without schema.</param>
/// <param name="Key">Its primary key as text, columns joined by <c>/</c>.</param>
public readonly record struct RowKey(string Table, string Key)
{
    /// <summary><c>table key</c>, the form used in messages.</summary>
    public override string ToString() => $"{Table} {Key}";
}
