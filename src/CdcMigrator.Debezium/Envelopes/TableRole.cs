namespace CdcMigrator.Debezium.Envelopes;

/// <summary>What a source table is to the migration.</summary>
internal enum TableRole
{
    /// <summary>Not named by it.</summary>
    Ignored,

    /// <summary>Moved.</summary>
    Routed,

    /// <summary>The table of markers.</summary>
    Fence,

    /// <summary>Debezium's signal table.</summary>
    Signal,
}
