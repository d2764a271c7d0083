using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Embedded.Publishing;

/// <summary>A captured table as the source's catalog has it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Oid">Its pg_class oid: survives a rename, not a drop.</param>
/// <param name="Topic">Where its records go.</param>
/// <param name="Columns">Columns, generated ones left out.</param>
/// <param name="Key">Columns that identify rows, in index order; empty for a keyless table with REPLICA IDENTITY FULL.</param>
/// <param name="IsPartitioned">Whether it is the root of partitions.</param>
internal sealed record SourceTable(
    TableName Name, uint Oid, string Topic, IReadOnlyList<string> Columns, IReadOnlyList<string> Key, bool IsPartitioned);
