namespace CdcMigrator.Domain.Tables;

/// <summary>What becomes of a date that PostgreSQL does not have.</summary>
public enum DateAction
{
    /// <summary>NULL where the target's column may be NULL, else it is refused.</summary>
    ByTarget,

    /// <summary>NULL.</summary>
    Null,

    /// <summary>The row is refused by name.</summary>
    Refuse,

    /// <summary>A date of the migration file.</summary>
    Replace,

    /// <summary>A month or day of zero becomes the first; not for dates without a year.</summary>
    First,
}
