namespace CdcMigrator.Embedded.Publishing;

/// <summary>Where and when a change happened: what goes into the envelope's source block.</summary>
/// <param name="CommitLsn">LSN of the commit record of the change's transaction; 0 for snapshot rows.</param>
/// <param name="Lsn">LSN of the change; the slot's consistent point for snapshot rows.</param>
/// <param name="TransactionId">32-bit transaction id; 0 for snapshot rows.</param>
/// <param name="TimestampMs">Commit time, Unix milliseconds.</param>
internal readonly record struct ChangeOrigin(ulong CommitLsn, ulong Lsn, uint TransactionId, long TimestampMs)
{
    /// <summary>Whether this is a snapshot row.</summary>
    public bool IsSnapshot => CommitLsn == 0;
}
