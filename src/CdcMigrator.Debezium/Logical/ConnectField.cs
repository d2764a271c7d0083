namespace CdcMigrator.Debezium.Logical;

/// <summary>A field of a struct schema.</summary>
/// <param name="Name">Its name as in the event.</param>
/// <param name="Schema">Its schema.</param>
internal sealed record ConnectField(string Name, ConnectSchema Schema);
