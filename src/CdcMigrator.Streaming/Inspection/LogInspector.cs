using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace CdcMigrator.Streaming.Inspection;

/// <summary>
/// Asks the broker what it has: cluster, topics, offsets, settings. Never creates a topic, never joins a group. Thread-safe; every call
/// is a fresh question. All methods throw <see cref="FaultException"/>: Unreachable where the broker does not answer in time.
/// </summary>
public sealed class LogInspector : IDisposable
{
    private readonly IAdminClient admin;
    private readonly string bootstrapServers;
    private readonly string? incarnation;
    private readonly TimeSpan timeout;

    /// <summary>Opens a client. Does not connect yet.</summary>
    /// <param name="bootstrapServers">Kafka bootstrap servers.</param>
    /// <param name="client">Settings passed to librdkafka; those of consumers alone are left out.</param>
    /// <param name="incarnation">Name of the embedded log's life, see <see cref="StreamingOptions.Incarnation"/>; null for Kafka.</param>
    /// <param name="timeout">Longest wait for one answer; 10 s unless told.</param>
    public LogInspector(string bootstrapServers, IReadOnlyDictionary<string, string>? client = null, string? incarnation = null, TimeSpan? timeout = null)
    {
        this.bootstrapServers = bootstrapServers;
        this.incarnation = incarnation;
        this.timeout = timeout ?? TimeSpan.FromSeconds(10);
        admin = ClientSettings.Build(() => new AdminClientBuilder(ClientSettings.ForAdmin(bootstrapServers, client))
            .SetLogHandler((_, _) => { })
            .SetErrorHandler((_, _) => { })
            .Build());
    }

    /// <summary>Cluster and topics. A topic that does not exist is described as such, not an error.</summary>
    public Task<LogDescription> DescribeAsync(IReadOnlyCollection<string> topics, CancellationToken cancellationToken = default) =>
        incarnation is null
            ? AskAsync(() => DescribeByAdminAsync(topics), cancellationToken)
            : AskAsync(() => Task.Run(() => DescribeByMetadata(topics), cancellationToken), cancellationToken);

    /// <summary>
    /// Start and end of partitions. The end is the high watermark: records of transactions still open count. Starts are read before ends.
    /// </summary>
    /// <param name="lanes">Partitions to ask for; all must exist.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public Task<IReadOnlyDictionary<LaneId, LogRange>> ReadRangesAsync(IReadOnlyCollection<LaneId> lanes, CancellationToken cancellationToken = default) =>
        AskAsync(
            async () =>
            {
                var starts = await ListAsync(lanes, OffsetSpec.Earliest()).ConfigureAwait(false);
                var ends = await ListAsync(lanes, OffsetSpec.Latest()).ConfigureAwait(false);
                return (IReadOnlyDictionary<LaneId, LogRange>)lanes.ToDictionary(lane => lane, lane => new LogRange(starts[lane], ends[lane]));
            },
            cancellationToken);

    /// <summary>Start and end of all partitions of the topics that exist. See <see cref="ReadRangesAsync"/>.</summary>
    public Task<IReadOnlyDictionary<LaneId, LogRange>> ReadTopicRangesAsync(IReadOnlyCollection<string> topics, CancellationToken cancellationToken = default) =>
        ReadTopicRangesAsync(topics, [], cancellationToken);

    /// <summary>The same where some partitions are known to be there: an answer that leaves one of them out is none.</summary>
    /// <param name="topics">All topics.</param>
    /// <param name="known">Partitions of them that were there before.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="FaultException">Also where a known partition is left out: to be asked again.</exception>
    public async Task<IReadOnlyDictionary<LaneId, LogRange>> ReadTopicRangesAsync(IReadOnlyCollection<string> topics, IEnumerable<LaneId> known, CancellationToken cancellationToken = default)
    {
        var log = await DescribeAsync(topics, cancellationToken).ConfigureAwait(false);
        var lanes = log.Topics.SelectMany(topic => Enumerable.Range(0, topic.Partitions).Select(partition => new LaneId(topic.Name, partition))).ToList();
        var missing = known.Except(lanes).Select(lane => lane.ToString()).Order(StringComparer.Ordinal).ToList();
        return missing.Count == 0 ? await ReadRangesAsync(lanes, cancellationToken).ConfigureAwait(false) : throw new FaultException(
            FaultKind.Unreachable,
            "partitions-missing",
            $"Kafka at {bootstrapServers} leaves out {missing.Count} partitions that were there before: {string.Join(", ", missing.Take(3))}{(missing.Count > 3 ? ", …" : "")}",
            "It is asked again. If the topic was deleted, its changes are gone: 'cdcm status' says what its lanes need");
    }

    /// <summary>Names of all topics of the cluster, sorted.</summary>
    public Task<IReadOnlyList<string>> ListTopicsAsync(CancellationToken cancellationToken = default) =>
        AskAsync(
            () => Task.Run(
                () => (IReadOnlyList<string>)[.. admin.GetMetadata(timeout).Topics.Select(topic => topic.Topic).Order(StringComparer.Ordinal)],
                cancellationToken),
            cancellationToken);

    /// <summary>Clean-up policy and retention of topics that exist. Not available from the embedded log, which has neither: empty.</summary>
    public Task<IReadOnlyList<TopicSettings>> ReadSettingsAsync(IReadOnlyCollection<string> topics, CancellationToken cancellationToken = default)
    {
        if (incarnation is not null || topics.Count == 0)
        {
            return Task.FromResult<IReadOnlyList<TopicSettings>>([]);
        }

        return AskAsync(
            async () =>
            {
                var resources = topics.Select(topic => new ConfigResource { Name = topic, Type = ResourceType.Topic });
                var results = await admin.DescribeConfigsAsync(resources, new DescribeConfigsOptions { RequestTimeout = timeout }).ConfigureAwait(false);
                return (IReadOnlyList<TopicSettings>)[.. results.Select(result => SettingsOf(result))];
            },
            cancellationToken);
    }

    /// <summary>Closes the client.</summary>
    public void Dispose() => admin.Dispose();

    private static TopicSettings SettingsOf(DescribeConfigsResult result)
    {
        var retention = Number("retention.ms");
        return new TopicSettings(
            result.ConfigResource.Name,
            result.Entries.TryGetValue("cleanup.policy", out var policy) ? policy.Value : "",
            retention is null ? null : TimeSpan.FromMilliseconds(Math.Min(retention.Value, TimeSpan.MaxValue.TotalMilliseconds - 1)),
            Number("retention.bytes"));

        long? Number(string name) =>
            result.Entries.TryGetValue(name, out var entry) && long.TryParse(entry.Value, out var value) && value >= 0 ? value : null;
    }

    private static bool IsMissing(Error error) => error.Code is ErrorCode.UnknownTopicOrPart or ErrorCode.Local_UnknownTopic;

    /// <summary>
    /// Topics first. A broker that is starting knows neither topics nor brokers yet, and librdkafka (2.16, <c>rd_kafka_DescribeClusterResponse_parse</c>) ends the process at such an answer to DescribeCluster: that
    /// is asked only behind an answer that shows that there is more.
    /// </summary>
    private async Task<LogDescription> DescribeByAdminAsync(IReadOnlyCollection<string> topics)
    {
        var found = topics.Count == 0 ? [] : await DescribeTopicsAsync(topics).ConfigureAwait(false);
        if (found.All(topic => topic.Error.IsError))
        {
            await Task.Run(() => admin.GetMetadata(timeout)).ConfigureAwait(false);
        }

        var cluster = await admin.DescribeClusterAsync(new DescribeClusterOptions { RequestTimeout = timeout }).ConfigureAwait(false);
        return new LogDescription(
            cluster.ClusterId,
            [.. found.Select(topic => topic.Error.IsError
                ? new TopicDescription(topic.Name, false, "", 0)
                : new TopicDescription(topic.Name, true, topic.TopicId.ToString(), topic.Partitions.Count))]);
    }

    private async Task<List<Confluent.Kafka.Admin.TopicDescription>> DescribeTopicsAsync(IReadOnlyCollection<string> topics)
    {
        try
        {
            var result = await admin.DescribeTopicsAsync(
                TopicCollection.OfTopicNames(topics), new DescribeTopicsOptions { RequestTimeout = timeout }).ConfigureAwait(false);
            return result.TopicDescriptions;
        }
        catch (DescribeTopicsException e) when (e.Results.TopicDescriptions.All(topic => !topic.Error.IsError || IsMissing(topic.Error)))
        {
            return e.Results.TopicDescriptions;
        }
    }

    /// <summary>The in-process broker answers metadata requests only. Asking for all topics creates none.</summary>
    private LogDescription DescribeByMetadata(IReadOnlyCollection<string> topics)
    {
        var known = admin.GetMetadata(timeout).Topics.Where(topic => !topic.Error.IsError).ToDictionary(topic => topic.Topic, topic => topic.Partitions.Count);
        return new LogDescription(
            incarnation!,
            [.. topics.Select(name => new TopicDescription(name, known.ContainsKey(name), "", known.GetValueOrDefault(name)))]);
    }

    private async Task<Dictionary<LaneId, long>> ListAsync(IReadOnlyCollection<LaneId> lanes, OffsetSpec spec)
    {
        if (lanes.Count == 0)
        {
            return [];
        }

        var wanted = lanes.Select(lane => new TopicPartitionOffsetSpec { TopicPartition = new TopicPartition(lane.Topic, lane.Partition), OffsetSpec = spec });
        var options = new ListOffsetsOptions { RequestTimeout = timeout, IsolationLevel = IsolationLevel.ReadUncommitted };
        var result = await admin.ListOffsetsAsync(wanted, options).ConfigureAwait(false);
        return result.ResultInfos.ToDictionary(
            info => new LaneId(info.TopicPartitionOffsetError.Topic, info.TopicPartitionOffsetError.Partition.Value),
            info => info.TopicPartitionOffsetError.Offset.Value);
    }

    private async Task<T> AskAsync<T>(Func<Task<T>> ask, CancellationToken cancellationToken)
    {
        try
        {
            return await ask().WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (KafkaException e)
        {
            throw new FaultException(
                FaultKind.Unreachable,
                "log-unreachable",
                $"Kafka at {bootstrapServers} does not answer: {e.Error.Reason}",
                "Check log.bootstrapServers and log.client in the migration file, and that the brokers run.",
                e);
        }
    }
}
