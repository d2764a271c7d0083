namespace CdcMigrator.Service.Api;

/// <summary>Answer to <c>POST /api/dlq/retry</c>.</summary>
/// <param name="Applied">Dead letters that were applied and are gone.</param>
/// <param name="Remaining">Those tried that stay parked.</param>
/// <param name="Rows">Row by row.</param>
/// <param name="Next">Where to go on, as <see cref="DeadLetterRequest.From"/>: time was up before all were tried. Null where all were.</param>
public sealed record DeadLetterRetryReport(long Applied, long Remaining, IReadOnlyList<DeadLetterRetryRow> Rows, long? Next);
