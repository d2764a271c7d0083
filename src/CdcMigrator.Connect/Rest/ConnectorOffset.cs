namespace CdcMigrator.Connect.Rest;

/// <summary>An offset Connect stores for a source connector.</summary>
/// <param name="Partition">Source partition as JSON: <c>{"server":"shop"}</c>.</param>
/// <param name="Offset">Offset as JSON: <c>{"lsn":26481496,…}</c>.</param>
public sealed record ConnectorOffset(string Partition, string Offset);
