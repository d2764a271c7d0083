namespace CdcMigrator.Service.Api;

/// <summary>Answer to <c>POST /api/tables/repair</c>, and what <c>cdcm tables repair -o json</c> prints.</summary>
/// <param name="Table">Source table.</param>
/// <param name="DryRun">Nothing was written: it is what would have been.</param>
/// <param name="Repaired">Rows that are as the source has them.</param>
/// <param name="Remaining">Rows that stay as they were.</param>
/// <param name="Truncated">More rows of the table are wrong than are named: compare it anew.</param>
/// <param name="Rows">Row by row.</param>
/// <param name="Next">Where to go on, as <see cref="RepairRequest.After"/>: time was up before all were tried. Null where all were.</param>
public sealed record RepairReport(string Table, bool DryRun, long Repaired, long Remaining, bool Truncated, IReadOnlyList<RepairedRow> Rows, IReadOnlyList<string>? Next);
