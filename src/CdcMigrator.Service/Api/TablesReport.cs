namespace CdcMigrator.Service.Api;

/// <summary>Body of <c>GET /api/tables</c>, and the answer to <c>POST /api/tables/resync</c>.</summary>
/// <param name="Migration">Name of the migration.</param>
/// <param name="Tables">Tables of the migration file.</param>
public sealed record TablesReport(string Migration, IReadOnlyList<TableDetail> Tables);
