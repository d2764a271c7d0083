namespace CdcMigrator.Postgres.Control;

/// <summary>Where a migration's pulses stand.</summary>
/// <param name="Slot">The slot they are watched for.</param>
/// <param name="Pulse">The last one taken; 0 before the first.</param>
/// <param name="Lsn">Position behind its commit in the source; null while it is being written, or its process died before it was.</param>
/// <param name="Age">How long ago it was taken.</param>
/// <param name="Seen">The last one met in the log.</param>
/// <param name="Broken">Why the log is known to have lost changes; null while it is not.</param>
public sealed record PulseState(string Slot, long Pulse, ulong? Lsn, TimeSpan Age, long Seen, string? Broken)
{
    /// <summary>Who was last seen to read the slot (<see cref="Fencing.SlotState.Reader"/>); empty before.</summary>
    public string Reader { get; init; } = "";

    /// <summary>When that reader had been seen and every transaction of the source from before was over; null until then.</summary>
    public DateTimeOffset? ReaderSince { get; init; }

    /// <summary>The source's transaction in which that reader was noted, with its epoch: all from before have smaller numbers. Null where no reader was noted.</summary>
    public long? ReaderTransaction { get; init; }
}
