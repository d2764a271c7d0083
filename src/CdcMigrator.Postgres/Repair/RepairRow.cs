using CdcMigrator.Domain.Comparing;

namespace CdcMigrator.Postgres.Repair;

/// <summary>A row to be repaired, as both sides have it while its lanes are held.</summary>
/// <param name="Key">The row, as it was compared.</param>
/// <param name="Text">Its key as the target's text, in the order of the route's key.</param>
/// <param name="Source">The source's values of the columns read; null where the source has no such row.</param>
/// <param name="IsThere">Whether the target has it.</param>
internal sealed record RepairRow(RowKey Key, string[] Text, string?[]? Source, bool IsThere)
{
    public RepairAction Action => (Source, IsThere) switch
    {
        (null, false) => RepairAction.Gone,
        (null, true) => RepairAction.Deleted,
        (_, false) => RepairAction.Inserted,
        _ => RepairAction.Updated,
    };
}
