namespace CdcMigrator.Service.Api;

/// <summary>Answer to <c>POST /api/dlq/discard</c>.</summary>
/// <param name="Discarded">Dead letters that are gone; their rows differ from the source until they are repaired.</param>
public sealed record DeadLetterDiscardReport(IReadOnlyList<DeadLetterReport> Discarded);
