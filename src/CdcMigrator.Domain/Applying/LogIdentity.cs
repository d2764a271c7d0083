namespace CdcMigrator.Domain.Applying;

/// <summary>What must stay the same for offsets to keep their meaning (invariant A2).</summary>
/// <param name="ClusterId">Kafka cluster id; for the embedded log its incarnation.</param>
/// <param name="TopicId">Topic id; empty where the broker gives none.</param>
/// <param name="PartitionCount">Partitions of the topic.</param>
public sealed record LogIdentity(string ClusterId, string TopicId, int PartitionCount)
{
    /// <summary>
    /// The log forgets everything when its process ends (the embedded log): a claim under another <see cref="ClusterId"/> starts
    /// again at the log's start, keeping the highest position, instead of being refused.
    /// </summary>
    public bool Ephemeral { get; init; }
}
