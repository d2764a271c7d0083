namespace CdcMigrator.Service.Api;

/// <summary>Body of <c>POST /api/tables/resync</c>.</summary>
/// <param name="Tables">Source tables to copy again, as <c>schema.table</c>.</param>
/// <param name="All">Every table of the migration; puts a log that lost changes back into use.</param>
public sealed record ResyncRequest(IReadOnlyList<string>? Tables, bool All = false);
