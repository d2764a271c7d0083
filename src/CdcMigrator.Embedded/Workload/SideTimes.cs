namespace CdcMigrator.Embedded.Workload;

/// <summary>When a side acknowledged, as timestamps of the ledger's <see cref="TimeProvider"/>.</summary>
/// <param name="First">First acknowledgement.</param>
/// <param name="Last">Last acknowledgement.</param>
/// <param name="Count">Acknowledgements.</param>
internal sealed record SideTimes(long First, long Last, long Count);
