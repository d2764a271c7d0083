namespace CdcMigrator.Domain.Migrations;

/// <summary>How records are serialised.</summary>
public enum LogFormat
{
    /// <summary>JSON, with or without Connect's schema wrapper: recognised a record at a time.</summary>
    Json,

    /// <summary>Avro in Confluent's wire format with a schema registry.</summary>
    Avro,
}
