namespace CdcMigrator.Domain.Changes;

/// <summary>What happened to a row, in Debezium's terms.</summary>
public enum ChangeOperation
{
    /// <summary><c>r</c>: the row as a snapshot saw it. Applied as an upsert, never skipped as a replay.</summary>
    SnapshotRow,

    /// <summary><c>c</c>: inserted, or the second half of a key change.</summary>
    Insert,

    /// <summary><c>u</c>: updated under an unchanged key.</summary>
    Update,

    /// <summary><c>d</c>: deleted, or the first half of a key change.</summary>
    Delete,

    /// <summary><c>t</c>: the whole table was truncated. Carries no key.</summary>
    Truncate,
}
