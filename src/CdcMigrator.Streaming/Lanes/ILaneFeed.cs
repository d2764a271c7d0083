namespace CdcMigrator.Streaming.Lanes;

/// <summary>The poll thread, as lanes see it. Both calls only leave a note for it; any thread.</summary>
internal interface ILaneFeed
{
    /// <summary>Deliver records to this session, from the offset it expects.</summary>
    void Begin(LaneSession session);

    /// <summary>Deliver no more: pause the partition.</summary>
    void End(LaneSession session);
}
