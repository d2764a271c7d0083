using CdcMigrator.Domain.Changes;

namespace CdcMigrator.Domain.Log;

/// <summary>A row of the source's <c>cdc_migrator.fence</c> as it passed through the log.</summary>
/// <param name="Id">Row id: <c>heartbeat</c>, <c>marker:…</c>, …</param>
/// <param name="Value">Its text; null where the row was deleted or holds NULL.</param>
/// <param name="Position">Its position in the source.</param>
public sealed record FenceRow(string Id, string? Value, SourcePosition Position);
