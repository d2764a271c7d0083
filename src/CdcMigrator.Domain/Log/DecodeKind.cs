namespace CdcMigrator.Domain.Log;

/// <summary>What a record turned out to be.</summary>
public enum DecodeKind
{
    /// <summary>A row change, now in the batch.</summary>
    Change,

    /// <summary>A row change of a table or operation the migration leaves out.</summary>
    Ignored,

    /// <summary>The null value behind a delete.</summary>
    Tombstone,

    /// <summary>Debezium's own heartbeat.</summary>
    Heartbeat,

    /// <summary>BEGIN or END of a source transaction.</summary>
    Transaction,

    /// <summary>A logical decoding message (<c>op=m</c>).</summary>
    Message,

    /// <summary>A row of the signal table.</summary>
    Signal,

    /// <summary>A row of <c>cdc_migrator.fence</c>: a marker or the lineage heartbeat, see <see cref="DecodeResult.Fence"/>.</summary>
    Fence,

    /// <summary>DDL of a MariaDB source.</summary>
    SchemaChange,

    /// <summary>A row change that was put aside as a dead letter, see <see cref="Changes.ParkedRecord"/>.</summary>
    Parked,

    /// <summary>An Avro schema is not loaded yet: load <see cref="DecodeResult.SchemaId"/> and decode the same record again. Nothing was added to the batch.</summary>
    NeedsSchema,
}
