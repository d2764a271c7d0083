namespace CdcMigrator.Postgres.Resync;

/// <summary>Where the copying of one table stands.</summary>
/// <param name="Table">Source table, as messages write it.</param>
/// <param name="SignalId">Id of the signal row, which the connector repeats in its offsets while it copies.</param>
/// <param name="Phase"><c>requested</c>, <c>copying</c> (the connector reads), <c>removing</c> (rows the source no longer has), <c>done</c> or <c>failed</c>.</param>
/// <param name="Marker">Marker written behind the signal, or behind the copy; null before.</param>
/// <param name="MarkerLsn">Position behind it.</param>
/// <param name="Removed">Rows removed from the target because the source no longer has them.</param>
/// <param name="Fault">Why it failed, or what the step it stands at waits for; null while nothing is in the way.</param>
/// <param name="RequestedAt">When it was asked for.</param>
/// <param name="UpdatedAt">When it last moved.</param>
public sealed record ResyncState(
    string Table, string SignalId, string Phase, string? Marker, ulong MarkerLsn, long Removed, string? Fault, DateTimeOffset RequestedAt, DateTimeOffset UpdatedAt)
{
    /// <summary>Whether there is something left to do.</summary>
    public bool IsActive => Phase is "requested" or "copying" or "removing";
}
