namespace CdcMigrator.Debezium.Avro;

/// <summary>Fields of a source block that are read.</summary>
internal enum SourceField
{
    /// <summary>Not read.</summary>
    Skip,

    /// <summary><c>version</c>.</summary>
    Version,

    /// <summary><c>db</c>.</summary>
    Db,

    /// <summary><c>schema</c>.</summary>
    Schema,

    /// <summary><c>table</c>.</summary>
    Table,

    /// <summary><c>ts_ms</c>.</summary>
    Timestamp,

    /// <summary><c>lsn</c>.</summary>
    Lsn,

    /// <summary><c>txId</c>.</summary>
    TransactionId,

    /// <summary><c>sequence</c>.</summary>
    Sequence,

    /// <summary><c>snapshot</c>.</summary>
    Snapshot,
}
