namespace CdcMigrator.Postgres.SelfTest;

/// <summary>The ways in which a table is compared; there is a scratch table for each.</summary>
public enum ScratchWay
{
    /// <summary>By ranges of a key that both sides sort alike.</summary>
    Ranges,

    /// <summary>By hash of the key, in one scan.</summary>
    Buckets,

    /// <summary>By all columns: the table has no key.</summary>
    Keyless,
}
