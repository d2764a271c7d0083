using CdcMigrator.Domain.Changes;

namespace CdcMigrator.Domain.Log;

/// <summary>What a record is about, without its values.</summary>
/// <param name="Key">The row; null where the record is no change of a row of the migration.</param>
/// <param name="Position">Its position in the source; none where the value cannot be read, and of snapshot rows.</param>
/// <param name="SchemaId">Schema to load before the key can be read; 0 where none is missing.</param>
/// <param name="Truncated">The table that the record says was truncated; null where it says no such thing.</param>
/// <param name="Run">Which life of the connector's task sent it; 0 where it does not say.</param>
public readonly record struct KeyReading(ChangeKey? Key, SourcePosition Position = default, int SchemaId = 0, string? Truncated = null, ulong Run = 0);
