namespace CdcMigrator.Service.Api;

/// <summary>Body of <c>POST /api/verify</c>.</summary>
/// <param name="Tables">Source tables to compare; null with <paramref name="All"/>.</param>
/// <param name="All">All tables of the migration.</param>
public sealed record VerifyRequest(IReadOnlyList<string>? Tables, bool All);
