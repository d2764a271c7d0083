namespace CdcMigrator.Embedded.Replication;

/// <summary>A replication slot as the source's catalog has it.</summary>
/// <param name="Plugin">Output plugin.</param>
/// <param name="Database">Database it decodes.</param>
/// <param name="ActivePid">Process that uses it; null where none does.</param>
/// <param name="ConfirmedLsn">Where its stream resumes.</param>
/// <param name="IsLost">Whether the server has removed WAL it needs, or invalidated it.</param>
internal sealed record SlotInfo(string Plugin, string Database, int? ActivePid, ulong ConfirmedLsn, bool IsLost);
