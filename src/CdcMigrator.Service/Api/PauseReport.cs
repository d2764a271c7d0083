using CdcMigrator.Domain.Status;

namespace CdcMigrator.Service.Api;

/// <summary>Whether changes are applied: the answer of <c>POST /api/pause</c> and <c>/api/resume</c>.</summary>
/// <param name="Migration">Name of the migration.</param>
/// <param name="Paused">Who paused it, why, since when; null while changes are applied.</param>
/// <param name="Ended">The pause that this request ended; null where it ended none.</param>
public sealed record PauseReport(string Migration, Pause? Paused, Pause? Ended = null);
