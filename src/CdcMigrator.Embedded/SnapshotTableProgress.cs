using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Embedded;

/// <summary>How far the snapshot of one table is.</summary>
/// <param name="Table">Table in the source.</param>
/// <param name="RowsPublished">Rows published so far.</param>
/// <param name="Published">Whether all its rows are published. They are in the target once the log's phase is <see cref="EmbeddedLogPhase.Streaming"/>.</param>
public sealed record SnapshotTableProgress(TableName Table, long RowsPublished, bool Published);
