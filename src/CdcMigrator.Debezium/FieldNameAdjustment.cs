namespace CdcMigrator.Debezium;

/// <summary>Debezium's <c>field.name.adjustment.mode</c>: what became of column names that are no Avro names.</summary>
public enum FieldNameAdjustment
{
    /// <summary>Names are the columns'.</summary>
    None,

    /// <summary>Characters that Avro forbids became <c>_</c>; cannot be undone.</summary>
    Avro,

    /// <summary>Characters that Avro forbids became <c>_uXXXX</c>; undone when decoding.</summary>
    AvroUnicode,
}
