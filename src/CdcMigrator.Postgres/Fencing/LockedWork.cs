namespace CdcMigrator.Postgres.Fencing;

/// <summary>What becomes of a transaction once its work under a fence's locks is done.</summary>
internal enum LockedWork
{
    /// <summary>It is rolled back.</summary>
    Decline,

    /// <summary>It is committed.</summary>
    Commit,

    /// <summary>It stays open with its locks: whoever did the work ends it.</summary>
    Keep,
}
