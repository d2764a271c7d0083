namespace CdcMigrator.Debezium.Avro;

/// <summary>Fields of an envelope that are read.</summary>
internal enum EnvelopeField
{
    /// <summary>Not read.</summary>
    Skip,

    /// <summary><c>after</c>.</summary>
    After,

    /// <summary><c>before</c>.</summary>
    Before,

    /// <summary><c>source</c>.</summary>
    Source,

    /// <summary><c>op</c>.</summary>
    Operation,

    /// <summary><c>ts_ms</c>.</summary>
    Timestamp,
}
