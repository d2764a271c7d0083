using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>A table of the migration, or one below it (a partition, an inheriting table), as it stands in the catalog.</summary>
/// <param name="Oid">Its oid.</param>
/// <param name="Name">Its name.</param>
/// <param name="FileNode">Its storage, which another one replaces where rows are written anew without naming them: TRUNCATE, ALTER … TYPE; 0 for a partitioned table.</param>
/// <param name="NeedsRows">Its rows can be written under a name that has no statement trigger: that of a parent outside, or of a partition to come.</param>
internal sealed record FencedRelation(uint Oid, TableName Name, uint FileNode, bool NeedsRows);
