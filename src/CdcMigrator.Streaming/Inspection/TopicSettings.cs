namespace CdcMigrator.Streaming.Inspection;

/// <summary>Settings of a topic that decide whether it keeps what has not been applied yet.</summary>
/// <param name="Name">Topic name.</param>
/// <param name="CleanupPolicy"><c>cleanup.policy</c>: <c>delete</c>, <c>compact</c> or both.</param>
/// <param name="Retention"><c>retention.ms</c>; null for unlimited.</param>
/// <param name="RetentionBytes"><c>retention.bytes</c> a partition; null for unlimited.</param>
public sealed record TopicSettings(string Name, string CleanupPolicy, TimeSpan? Retention, long? RetentionBytes)
{
    /// <summary>Whether the broker may drop older records of a key. Such a topic has gaps by design.</summary>
    public bool IsCompacted => CleanupPolicy.Contains("compact", StringComparison.Ordinal);
}
