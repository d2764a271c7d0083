namespace CdcMigrator.Reconciliation.Reading;

/// <summary>What a record is to the reconciler.</summary>
public enum RecordKind
{
    /// <summary>Nothing of interest: a tombstone, a heartbeat, a table that is not compared.</summary>
    Nothing,

    /// <summary>A change of a compared table.</summary>
    Change,

    /// <summary>A row written to the fence table.</summary>
    Marker,

    /// <summary>An Avro schema is not known yet: load it and read the same record again.</summary>
    NeedsSchema,

    /// <summary>It cannot be read, and not even its table is known: every table may have changed.</summary>
    Unreadable,
}
