using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Streaming.Inspection;

namespace CdcMigrator.Service.Preflight;

/// <summary>Whether the topics keep what has not been applied yet (invariant A2).</summary>
internal static class TopicChecks
{
    private static readonly TimeSpan ShortestRetention = TimeSpan.FromHours(24);

    public static async Task<IReadOnlyList<Finding>> RunAsync(MigrationDefinition definition, CancellationToken cancellationToken)
    {
        if (definition.Log.Kind == LogKind.Embedded)
        {
            return [];
        }

        using var inspector = new LogInspector(definition.Log.BootstrapServers, definition.Log.Client);
        var topics = definition.Tables.Select(table => table.Source).Append(FenceTable.Name).Distinct()
            .ToDictionary(table => EmbeddedLog.TopicOf(definition.Log.TopicPrefix, table), table => table.ToString());
        var log = await inspector.DescribeAsync(topics.Keys, cancellationToken);
        var findings = new List<Finding>();
        foreach (var topic in log.Topics.Where(topic => !topic.Exists))
        {
            findings.Add(new Finding(Severity.Info, "topic-missing", $"Topic {topic.Name} does not exist yet; 'cdcm run' waits for it",
                "Debezium creates it with the table's first row, if topic.creation.enable is true")
            { Table = topics[topic.Name] });
        }

        findings.AddRange(definition.Tables.Where(table => table.OnePartition).SelectMany(table => Check(table, log.Topic(EmbeddedLog.TopicOf(definition.Log.TopicPrefix, table.Source)))));
        foreach (var topic in await inspector.ReadSettingsAsync([.. log.Topics.Where(topic => topic.Exists).Select(topic => topic.Name)], cancellationToken))
        {
            findings.AddRange(Check(topic).Select(finding => finding with { Table = topics[topic.Name] }));
        }

        return findings;
    }

    /// <summary>Order across keys holds within a partition only.</summary>
    internal static IEnumerable<Finding> Check(TableMapping table, TopicDescription topic)
    {
        if (topic is { Exists: true, Partitions: > 1 })
        {
            yield return new Finding(Severity.Error, "topic-partitions", $"Topic {topic.Name} has {topic.Partitions} partitions; {(table.Keyless ? "a table without a key" : "onePartition")} needs one",
                "Stop the connector, delete the topic and the connector's offsets, and register it anew with 'cdcm connector register -f FILE'")
            { Table = table.Source.ToString() };
        }
    }

    internal static IEnumerable<Finding> Check(TopicSettings topic)
    {
        if (topic.IsCompacted)
        {
            yield return new Finding(Severity.Error, "topic-compacted", $"Topic {topic.Name} is compacted (cleanup.policy={topic.CleanupPolicy}): changes are dropped before they are applied",
                $"Set cleanup.policy=delete on {topic.Name}");
        }

        if (topic.Retention is { } retention && retention < ShortestRetention)
        {
            yield return new Finding(Severity.Error, "topic-retention", $"Topic {topic.Name} keeps records for {retention} only: an outage of the target longer than that loses changes",
                $"Set retention.ms=604800000 (7 days) or more on {topic.Name}");
        }

        if (topic.RetentionBytes is { } bytes)
        {
            yield return new Finding(Severity.Warning, "topic-retention-bytes", $"Topic {topic.Name} keeps {bytes:N0} bytes a partition only: a large backlog loses changes",
                $"Set retention.bytes=-1 on {topic.Name}");
        }
    }
}
