using CdcMigrator.Cutover.Predicting;

namespace CdcMigrator.Cutover.Draining;

/// <summary>What a drain proof found.</summary>
/// <param name="Drained">Everything committed in the source before the marker is committed in the target.</param>
/// <param name="MarkerSeen">The marker was met in the log.</param>
/// <param name="SlotConfirmed">The slot's confirmed position reached the marker's, and so did the offset Connect has stored.</param>
/// <param name="Lanes">End and progress by lane; empty until the slot confirmed.</param>
/// <param name="DeadLetters">Changes that progress has passed without applying them; null until the lanes reached their ends.</param>
/// <param name="WaitedMs">How long it took, in milliseconds.</param>
public sealed record DrainReport(bool Drained, bool MarkerSeen, bool SlotConfirmed, IReadOnlyList<DrainLane> Lanes, long? DeadLetters, long WaitedMs)
{
    /// <summary>What is still waited for, in words; empty when drained.</summary>
    public string WaitingFor =>
        Drained ? ""
        : !MarkerSeen ? "the marker to appear in the log"
        : !SlotConfirmed ? "the source's reader to confirm the marker, at its slot and in the offsets Connect stores"
        : DeadLetters > 0 ? $"{DeadLetters} dead letters to be retried or discarded ('cdcm dlq list')"
        : $"{Lanes.Count(lane => !lane.Reached)} lanes to reach their end offsets";

    /// <summary>What to do about it.</summary>
    /// <param name="pace">The connector's settings, as far as they are known.</param>
    public string FixOf(ConnectorPace? pace) =>
        MarkerSeen && !SlotConfirmed ? OutageAdvice.Unconfirmed(pace)
        : DeadLetters > 0 ? "'cdcm dlq list' names rows and causes; mend the cause, then 'cdcm dlq retry --all'"
        : "'cdcm lag' and 'cdcm status' show what is slow";
}
