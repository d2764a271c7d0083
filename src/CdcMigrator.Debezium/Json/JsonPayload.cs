using CdcMigrator.Debezium.Logical;

namespace CdcMigrator.Debezium.Json;

/// <summary>Where the payload of a JSON key or value lies.</summary>
/// <param name="Start">First byte.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Schema">Its schema, the same object for the same schema text; null without one.</param>
internal readonly record struct JsonPayload(int Start, int Length, ConnectSchema? Schema);
