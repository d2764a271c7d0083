namespace CdcMigrator.Service.Api;

/// <summary>Asks to pause, or to go on: the body of <c>POST /api/pause</c> and <c>/api/resume</c>.</summary>
/// <param name="By">Who asks.</param>
/// <param name="Reason">Why; not asked for where it goes on.</param>
public sealed record PauseRequest(string By, string? Reason = null);
