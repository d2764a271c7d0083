namespace CdcMigrator.Domain.Comparing;

/// <summary>Where one change stands in the log and in the source; all that is known of it to tell whether a snapshot has it.</summary>
/// <param name="Partition">Partition of the table's topic.</param>
/// <param name="Offset">Offset in it.</param>
/// <param name="Transaction">
/// The source's measure of visibility: PostgreSQL's transaction id modulo 2^32; for MariaDB the binlog position, file number and offset in one.
/// </param>
/// <param name="IsRead">The row was read by a snapshot of the connector, not changed.</param>
public readonly record struct ChangeMark(int Partition, long Offset, ulong Transaction, bool IsRead);
