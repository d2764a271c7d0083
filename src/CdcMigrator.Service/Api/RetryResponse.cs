namespace CdcMigrator.Service.Api;

/// <summary>Answer to <c>POST /api/lanes/retry</c>.</summary>
/// <param name="Retried">Halted lanes that try again now, as <c>topic[partition]</c>.</param>
public sealed record RetryResponse(IReadOnlyList<string> Retried);
