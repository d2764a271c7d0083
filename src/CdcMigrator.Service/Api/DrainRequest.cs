namespace CdcMigrator.Service.Api;

/// <summary>Body of <c>POST /api/drain</c>: prove that everything before a marker is in the target.</summary>
/// <param name="Marker">Id of the marker row written to <c>cdc_migrator.fence</c> on the source.</param>
/// <param name="Lsn">The source's WAL insert position read after the marker's commit, as <c>X/Y</c>.</param>
/// <param name="TimeoutMs">How long to wait for the proof, milliseconds.</param>
public sealed record DrainRequest(string Marker, string Lsn, int TimeoutMs = 30_000);
