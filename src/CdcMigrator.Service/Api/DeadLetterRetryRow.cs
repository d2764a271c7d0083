namespace CdcMigrator.Service.Api;

/// <summary>A row in <see cref="DeadLetterRetryReport"/>.</summary>
/// <param name="Table">Source table.</param>
/// <param name="Key">Key of the row.</param>
/// <param name="Applied">Its dead letters that were applied.</param>
/// <param name="Remaining">Those that stay parked.</param>
/// <param name="Fault">Why; null where none does.</param>
public sealed record DeadLetterRetryRow(string Table, string Key, long Applied, long Remaining, FaultReport? Fault);
