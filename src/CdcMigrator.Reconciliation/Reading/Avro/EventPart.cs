namespace CdcMigrator.Reconciliation.Reading.Avro;

/// <summary>What a field is to the head of an event, by its name.</summary>
internal enum EventPart : byte
{
    Other,
    Source,
    Operation,
    Database,
    Schema,
    Table,
    Transaction,
    Snapshot,
    File,
    Position,
}
