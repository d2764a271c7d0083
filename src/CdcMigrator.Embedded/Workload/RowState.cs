namespace CdcMigrator.Embedded.Workload;

/// <summary>What a row is to be: the digest of its text form, or absent.</summary>
/// <param name="Row">The row.</param>
/// <param name="Digest"><c>md5(row::text)</c> as the writing transaction saw it; null where the row is deleted.</param>
public readonly record struct RowState(RowKey Row, string? Digest);
