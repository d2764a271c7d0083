namespace CdcMigrator.Domain.Migrations;

/// <summary>What carries changes between reader and applier.</summary>
public enum LogKind
{
    /// <summary>Debezium on Kafka Connect, through Kafka.</summary>
    Kafka,

    /// <summary>An in-process broker fed from the source's replication slot. One process; for demos, tests and small moves.</summary>
    Embedded,
}
