namespace CdcMigrator.Cutover.Predicting;

/// <summary>Settings that decide how soon a marker is confirmed; null where they are not known, or there is no connector.</summary>
/// <param name="OffsetFlush">The worker's <c>offset.flush.interval.ms</c>.</param>
/// <param name="Heartbeat">The connector's <c>heartbeat.interval.ms</c>; zero where it has none.</param>
/// <param name="Poll">The connector's <c>poll.interval.ms</c>.</param>
public sealed record ConnectorPace(TimeSpan? OffsetFlush, TimeSpan? Heartbeat, TimeSpan? Poll);
