namespace CdcMigrator.Postgres.Fencing;

/// <summary>A row written to the captured table <c>cdc_migrator.fence</c>, to be met again in the log.</summary>
/// <param name="Id">Its id, unique to this marker.</param>
/// <param name="Lsn">
/// <c>pg_current_wal_insert_lsn()</c> read after the marker's commit: everything committed before the marker lies below it. Not
/// the flush position, which may exclude transactions committed asynchronously.
/// </param>
public sealed record FenceMarker(string Id, ulong Lsn);
