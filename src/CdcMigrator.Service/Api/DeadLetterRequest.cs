namespace CdcMigrator.Service.Api;

/// <summary>Body of <c>POST /api/dlq/retry</c> and <c>POST /api/dlq/discard</c>: which dead letters are meant.</summary>
/// <param name="Id">One. A retry takes all of its row, a discard this one.</param>
/// <param name="Table">Those of a source table.</param>
/// <param name="Key">Those of a row: its key as listed, or its values joined by commas.</param>
/// <param name="All">All of the migration.</param>
/// <param name="Actor">Who asks, for the journal.</param>
/// <param name="From">Goes on with a retry that named this as <see cref="DeadLetterRetryReport.Next"/>.</param>
public sealed record DeadLetterRequest(long? Id = null, string? Table = null, string? Key = null, bool All = false, string? Actor = null, long From = 0);
