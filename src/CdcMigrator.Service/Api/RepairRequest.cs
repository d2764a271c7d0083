namespace CdcMigrator.Service.Api;

/// <summary>Body of <c>POST /api/tables/repair</c>: which rows of a table are to be written as the source has them.</summary>
/// <param name="Table">Source table.</param>
/// <param name="Keys">Rows by their keys, as <c>verify show</c> lists them: <c>id=7</c>, <c>{"id":"7"}</c>, or the values alone joined by commas.</param>
/// <param name="AllWrong">All rows that are known to be wrong.</param>
/// <param name="DryRun">Does everything and rolls it back.</param>
/// <param name="Actor">Who asks, for the journal.</param>
/// <param name="After">Goes on with a repair that named this as <see cref="RepairReport.Next"/>.</param>
public sealed record RepairRequest(
    string? Table, IReadOnlyList<string>? Keys = null, bool AllWrong = false, bool DryRun = false, string? Actor = null, IReadOnlyList<string>? After = null);
