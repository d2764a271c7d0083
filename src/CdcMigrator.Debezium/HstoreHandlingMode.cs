namespace CdcMigrator.Debezium;

/// <summary>Debezium's <c>hstore.handling.mode</c>.</summary>
public enum HstoreHandlingMode
{
    /// <summary>JSON text. Debezium's default.</summary>
    Json,

    /// <summary>A map.</summary>
    Map,
}
