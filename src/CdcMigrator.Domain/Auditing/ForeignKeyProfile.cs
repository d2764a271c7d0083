namespace CdcMigrator.Domain.Auditing;

/// <summary>A foreign key.</summary>
/// <param name="Name">Name of the constraint.</param>
/// <param name="Table">Table that refers, <c>schema.table</c>.</param>
/// <param name="References">Table referred to.</param>
public sealed record ForeignKeyProfile(string Name, string Table, string References)
{
    /// <summary>Rows without the row they refer to; null where that was not counted.</summary>
    public long? Orphans { get; init; }

    /// <summary>What a delete of the row referred to does: no action, cascade, set null, …</summary>
    public string OnDelete { get; init; } = "no action";
}
