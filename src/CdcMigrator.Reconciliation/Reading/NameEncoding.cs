namespace CdcMigrator.Reconciliation.Reading;

/// <summary>Debezium's <c>field.name.adjustment.mode</c>: what becomes of a column's name in an event.</summary>
public enum NameEncoding
{
    /// <summary>Nothing.</summary>
    Plain,

    /// <summary>What Avro does not allow becomes <c>_</c>.</summary>
    Underscores,

    /// <summary>What Avro does not allow becomes <c>_uXXXX</c>.</summary>
    Unicode,
}
