namespace CdcMigrator.Postgres.Repair;

/// <summary>What a repair did to a row of the target.</summary>
public enum RepairAction
{
    /// <summary>Nothing: it stays as it is.</summary>
    None,

    /// <summary>The row was missing and was inserted.</summary>
    Inserted,

    /// <summary>The row was there and has the source's values now.</summary>
    Updated,

    /// <summary>The row was there and the source does not have it.</summary>
    Deleted,

    /// <summary>Neither side has the row any more.</summary>
    Gone,
}
