namespace CdcMigrator.Domain.Changes;

/// <summary>The row a record is about, as text. Records of one row have equal keys and stand in one lane.</summary>
/// <param name="Table">Source table.</param>
/// <param name="Key">Key values by source column name, see <see cref="KeyText"/>.</param>
public readonly record struct ChangeKey(string Table, string Key)
{
    /// <summary><c>table key</c>, the form used in messages.</summary>
    public override string ToString() => $"{Table} {Key}";
}
