namespace CdcMigrator.Domain.Tables;

/// <summary>What the source's catalog and its values say of a column: how its events are to be read, and when they are not to be believed.</summary>
/// <param name="Type">Its type, which is what events were written from; the target's may differ.</param>
public sealed record OriginColumn(ColumnType Type)
{
    /// <summary>Nullable with a default: some converters write its NULL as that default.</summary>
    public bool NullHasDefault { get; init; }

    /// <summary>Which events' values are not taken, for what the column holds.</summary>
    public ReadAgain ReadAgain { get; init; }
}
