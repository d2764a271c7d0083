using CdcMigrator.Domain.Faults;
using CdcMigrator.Streaming.Following;
using Confluent.Kafka;

namespace CdcMigrator.Streaming;

/// <summary>librdkafka settings of our clients: the user's, and over them those that correctness and memory bounds rest on.</summary>
internal static class ClientSettings
{
    public const string GroupProtocolKey = "group.protocol";

    /// <summary>Known to consumers only; librdkafka would warn about each in an admin client.</summary>
    private static readonly string[] ConsumerOnly =
    [
        "group.", "session.timeout", "heartbeat.interval", "max.poll", "partition.assignment", "fetch.", "max.partition.fetch",
        "queued.", "auto.offset", "enable.auto", "auto.commit", "isolation.level", "check.crcs",
    ];

    /// <summary>Settings that concern a group.</summary>
    private static readonly string[] GroupOnly = ["group.", "session.timeout", "heartbeat.interval", "max.poll", "partition.assignment"];

    public static AdminClientConfig ForAdmin(string bootstrapServers, IReadOnlyDictionary<string, string>? client)
    {
        var config = new AdminClientConfig();
        foreach (var (key, value) in client ?? new Dictionary<string, string>())
        {
            if (!ConsumerOnly.Any(prefix => key.StartsWith(prefix, StringComparison.Ordinal)))
            {
                config.Set(key, value);
            }
        }

        config.BootstrapServers = bootstrapServers;
        config.ClientId ??= "cdcm-inspector";
        return config;
    }

    public static ConsumerConfig ForConsumer(StreamingOptions options, GroupProtocol protocol)
    {
        var config = new ConsumerConfig();
        foreach (var (key, value) in options.Client)
        {
            config.Set(key, value);
        }

        config.BootstrapServers = options.BootstrapServers;
        config.GroupId = options.Group;
        config.GroupProtocol = protocol;
        config.ClientId ??= "cdcm";
        if (protocol == GroupProtocol.Classic)
        {
            config.PartitionAssignmentStrategy ??= PartitionAssignmentStrategy.CooperativeSticky;
        }
        else
        {
            // The broker decides these; the client refuses them. They may be there for the case that the broker has 'classic' only.
            config.PartitionAssignmentStrategy = null;
            config.SessionTimeoutMs = null;
            config.HeartbeatIntervalMs = null;
        }

        // A missing offset is never guessed at: progress is in the target, and a gap must be heard of.
        config.AutoOffsetReset = AutoOffsetReset.Error;
        config.IsolationLevel = IsolationLevel.ReadCommitted;
        config.AllowAutoCreateTopics = false;
        config.EnablePartitionEof = true;

        // Group commits are hints for lag tools. Only offsets that we store, which the target has committed, are sent, and by
        // librdkafka in the background: its Commit call would hold the poll thread up for as long as the coordinator is away.
        config.EnableAutoOffsetStore = false;
        config.EnableAutoCommit = true;
        config.AutoCommitIntervalMs = 2000;

        config.MaxPollIntervalMs = (int)options.MaxPollInterval.TotalMilliseconds;
        config.TopicMetadataRefreshIntervalMs = (int)Math.Max(1000, options.LogCheckInterval.TotalMilliseconds);

        // Prefetched records are memory too; a full queue must not cost the default second of backing off.
        config.QueuedMaxMessagesKbytes ??= (int)Math.Clamp(options.LaneBytes * 2 / 1024, 1024, 64 * 1024);
        config.Set("fetch.queue.backoff.ms", "20");

        // One fetch is out at a time: a lane that seeks waits for the broker to answer the one that finds nothing new.
        config.FetchWaitMaxMs ??= 50;
        config.FetchMaxBytes ??= (int)Math.Min(50L << 20, Math.Max(1L << 20, options.LaneBytes));
        config.ReceiveMessageMaxBytes ??= (int)Math.Min(int.MaxValue, Math.Max(100L << 20, options.MaxRecordBytes + (16L << 20)));
        config.SocketNagleDisable ??= true;
        return config;
    }

    /// <summary>For following without a group: the client wants a group's name, but never asks for one that is not subscribed to.</summary>
    public static ConsumerConfig ForFollower(LogFollowerOptions options)
    {
        var config = new ConsumerConfig();
        foreach (var (key, value) in options.Client)
        {
            if (!GroupOnly.Any(prefix => key.StartsWith(prefix, StringComparison.Ordinal)))
            {
                config.Set(key, value);
            }
        }

        config.BootstrapServers = options.BootstrapServers;
        config.ClientId = "cdcm-reconciler";
        config.GroupId = "cdcm-reconciler";
        config.EnableAutoCommit = false;
        config.EnableAutoOffsetStore = false;
        config.AutoOffsetReset = AutoOffsetReset.Error;
        config.IsolationLevel = IsolationLevel.ReadCommitted;
        config.AllowAutoCreateTopics = false;
        config.EnablePartitionEof = true;

        // Headers say nothing that is looked at, and cost more than the record's own bytes.
        config.ConsumeResultFields = "timestamp,topic";
        config.TopicMetadataRefreshIntervalMs ??= 5000;
        config.QueuedMaxMessagesKbytes ??= (int)Math.Clamp(options.BufferBytes / 1024, 1024, 1024 * 1024);
        config.Set("fetch.queue.backoff.ms", "20");
        config.FetchWaitMaxMs ??= 100;
        config.FetchMaxBytes ??= (int)Math.Clamp(options.BufferBytes / 2, 1L << 20, 50L << 20);
        config.ReceiveMessageMaxBytes ??= (int)Math.Min(int.MaxValue, Math.Max(100L << 20, options.MaxRecordBytes + (16L << 20)));
        config.SocketNagleDisable ??= true;
        return config;
    }

    /// <summary>Builds a client, turning librdkafka's complaint about a setting into a fault.</summary>
    public static T Build<T>(Func<T> build)
    {
        try
        {
            return build();
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or KafkaException)
        {
            throw new FaultException(
                FaultKind.Configuration,
                "kafka-client-setting",
                $"Kafka client refuses its settings: {e.Message}",
                "Change log.client in the migration file.",
                e);
        }
    }
}
