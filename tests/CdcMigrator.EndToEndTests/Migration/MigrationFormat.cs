namespace CdcMigrator.EndToEndTests.Migration;

/// <summary>The serialisations a source connector is run with.</summary>
public enum MigrationFormat
{
    /// <summary>JSON without schemas.</summary>
    Json,

    /// <summary>JSON in Connect's schema wrapper.</summary>
    JsonWithSchema,

    /// <summary>Avro through the registry.</summary>
    Avro,
}
