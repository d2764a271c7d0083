namespace CdcMigrator.Streaming.Inspection;

/// <summary>The log's cluster and some of its topics at one moment.</summary>
/// <param name="ClusterId">Kafka cluster id; for the embedded log its incarnation.</param>
/// <param name="Topics">The topics asked for, existing or not.</param>
public sealed record LogDescription(string ClusterId, IReadOnlyList<TopicDescription> Topics)
{
    /// <summary>One of the topics asked for.</summary>
    public TopicDescription Topic(string name) => Topics.First(topic => topic.Name == name);
}
