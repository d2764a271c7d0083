namespace CdcMigrator.Service.Api;

/// <summary>Asks to waive a criterion, or to take that back: the body of <c>POST /api/waivers</c> and <c>/api/waivers/revoke</c>.</summary>
/// <param name="Criterion">Name of the criterion.</param>
/// <param name="By">Who asks.</param>
/// <param name="Reason">Why it need not pass; not asked for where it is taken back.</param>
/// <param name="Until">How long, as a duration of the migration file; null for as long as the same is found.</param>
public sealed record WaiverRequest(string Criterion, string By, string? Reason = null, string? Until = null);
