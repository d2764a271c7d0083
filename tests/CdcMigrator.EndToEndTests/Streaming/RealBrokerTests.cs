using System.Globalization;
using System.Text;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Status;
using CdcMigrator.Streaming;
using CdcMigrator.Streaming.Inspection;
using CdcMigrator.TestKit.Kafka;
using CdcMigrator.TestKit.Kit;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;

namespace CdcMigrator.EndToEndTests.Streaming;

/// <summary>What the in-process broker cannot show: control records, topic ids, topics made again, a broker that dies.</summary>
[Collection(typeof(KilledKit))]
public sealed class RealBrokerTests(KitFixture kit)
{
    private readonly FakeLaneStore store = new();
    private readonly string topic = $"shop.public.t{Guid.NewGuid():N}";
    private readonly CollectorRegistry registry = Metrics.NewCustomRegistry();

    [Fact]
    public async Task Control_and_aborted_records_are_holes_that_progress_moves_past_to_the_very_end()
    {
        kit.Require();
        await CreateAsync(2);
        var committed = new List<string>();
        using (var producer = Producer(transactional: true))
        {
            producer.InitTransactions(TimeSpan.FromSeconds(30));
            for (var i = 0; i < 60; i++)
            {
                producer.BeginTransaction();
                for (var j = 0; j < 3; j++)
                {
                    producer.Produce(new TopicPartition(topic, 0), Message($"v{i}.{j}"));
                }

                if (i % 7 == 3)
                {
                    producer.Flush(TimeSpan.FromSeconds(10));
                    producer.AbortTransaction();
                }
                else
                {
                    producer.CommitTransaction();
                    committed.AddRange(Enumerable.Range(0, 3).Select(j => $"v{i}.{j}"));
                }
            }
        }

        await using var pipeline = await StartAsync();
        using var inspector = new LogInspector(kit.BootstrapServers);
        var end = (await inspector.ReadTopicRangesAsync([topic], TestContext.Current.CancellationToken))[Lane(0)].End;
        Assert.Equal(60 * 4, end);
        await UntilAsync(() => store.NextOffset(Lane(0)) == end, () => $"progress at the end {end}, is {store.NextOffset(Lane(0))}");
        Assert.Equal(committed, store.Applied(Lane(0)).Select(change => change.Value));
        Assert.Contains("cdcmigrator_offset_gaps_total", await ScrapeAsync(), StringComparison.Ordinal);
        await UntilAsync(() => pipeline.Status().Lanes.All(lane => lane is { LagRecords: 0, Fault: null, State: LaneState.Running }), () => "caught up");
    }

    [Fact]
    public async Task A_topic_made_again_halts_its_lanes()
    {
        kit.Require();
        await CreateAsync(2);
        await ProduceAsync(10);
        await using var pipeline = await StartAsync();
        await UntilAsync(() => store.Total == 10, () => "applied");
        using (var admin = Admin())
        {
            await admin.DeleteTopicsAsync([topic]);
        }

        await CreateAsync(2);
        await ProduceAsync(10);
        await UntilAsync(() => pipeline.Status().Lanes is { Count: > 0 } lanes && lanes.All(IsBroken), () => $"halted: {string.Join("; ", pipeline.Status().Lanes)}");
        Assert.Equal(10, store.Total);
    }

    [Fact]
    public async Task A_topic_that_gets_more_partitions_halts_its_lanes()
    {
        kit.Require();
        await CreateAsync(2);
        await ProduceAsync(10);
        await using var pipeline = await StartAsync();
        await UntilAsync(() => store.Total == 10, () => "applied");
        using (var admin = Admin())
        {
            await admin.CreatePartitionsAsync([new PartitionsSpecification { Topic = topic, IncreaseTo = 3 }]);
        }

        await UntilAsync(
            () => pipeline.Status().Lanes.Where(lane => lane.Lane.Partition < 2).ToList() is { Count: 2 } lanes
                && lanes.All(lane => lane.Fault?.Code is "partition-count-changed" or "log-identity-changed"),
            () => $"halted: {string.Join("; ", pipeline.Status().Lanes)}");
    }

    [Fact]
    public async Task The_inspector_tells_ids_settings_and_missing_topics()
    {
        kit.Require();
        await CreateAsync(3, new() { ["cleanup.policy"] = "compact", ["retention.ms"] = "3600000" });
        using var inspector = new LogInspector(kit.BootstrapServers);
        var log = await inspector.DescribeAsync([topic, "nowhere"], TestContext.Current.CancellationToken);
        Assert.NotEmpty(log.ClusterId);
        Assert.NotEmpty(log.Topic(topic).TopicId);
        Assert.Equal(3, log.Topic(topic).Partitions);
        Assert.False(log.Topic("nowhere").Exists);
        var settings = Assert.Single(await inspector.ReadSettingsAsync([topic], TestContext.Current.CancellationToken));
        Assert.Equal((true, TimeSpan.FromHours(1), null), (settings.IsCompacted, settings.Retention, settings.RetentionBytes));
    }

    [Fact]
    public async Task A_broker_that_dies_and_comes_back_costs_nothing_but_time()
    {
        kit.Require();
        await CreateAsync(2);
        await ProduceAsync(1000);
        await using var pipeline = await StartAsync();
        await UntilAsync(() => store.Total == 1000, () => "applied");
        await kit.KillAsync("broker");
        await UntilAsync(() => pipeline.Status().Fault?.Kind == FaultKind.Unreachable, () => "the fault is shown");
        await kit.UpAsync("broker");
        await ProduceAsync(1000);
        await UntilAsync(() => store.Total == 2000 && pipeline.Status().Fault is null, () => $"{store.Total} applied, fault {pipeline.Status().Fault}");
        Assert.Equal(Enumerable.Range(0, 1000).Select(i => (long)i), store.Applied(Lane(1)).Select(change => change.Offset));

        // The group's coordinator comes back after its broker does: what lag tools read follows by the background commit.
        using (var limit = new CancellationTokenSource(TimeSpan.FromSeconds(90)))
        {
            while (await GroupOffsetAsync(Lane(1)) != 1000)
            {
                Assert.False(limit.IsCancellationRequested, "the group's offset does not follow");
            }
        }

        await pipeline.StopAsync(TestContext.Current.CancellationToken);
        Assert.Equal(1000, await GroupOffsetAsync(Lane(1)));
    }

    private static bool IsBroken(LaneStatus lane) => lane is { State: LaneState.Halted, Fault.Kind: FaultKind.LogBroken };

    private static Message<byte[], byte[]> Message(string value) => new() { Key = "k"u8.ToArray(), Value = Encoding.UTF8.GetBytes(value) };

    private static async Task UntilAsync(Func<bool> condition, Func<string> what)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!condition())
        {
            Assert.False(limit.IsCancellationRequested, $"not within 60 s: {what()}");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    private LaneId Lane(int partition) => new(topic, partition);

    private IAdminClient Admin() => new AdminClientBuilder(new AdminClientConfig { BootstrapServers = kit.BootstrapServers }).Build();

    private IProducer<byte[], byte[]> Producer(bool transactional = false) => new ProducerBuilder<byte[], byte[]>(new ProducerConfig
    {
        BootstrapServers = kit.BootstrapServers,
        TransactionalId = transactional ? topic : null,
        AllowAutoCreateTopics = false,
    }).Build();

    private async Task CreateAsync(int partitions, Dictionary<string, string>? settings = null)
    {
        using var admin = Admin();
        for (var i = 0; ; i++)
        {
            try
            {
                await admin.CreateTopicsAsync([new TopicSpecification { Name = topic, NumPartitions = partitions, ReplicationFactor = 1, Configs = settings }]);
                return;
            }
            catch (CreateTopicsException) when (i < 50)
            {
                // Its deletion is not through yet.
                await Task.Delay(100, TestContext.Current.CancellationToken);
            }
        }
    }

    private async Task ProduceAsync(int count)
    {
        using var producer = Producer();
        await Task.WhenAll(Enumerable.Range(0, count).Select(i => producer.ProduceAsync(new TopicPartition(topic, i % 2), Message($"v{i}"))));
    }

    private async Task<ApplyPipeline> StartAsync()
    {
        var options = new StreamingOptions
        {
            BootstrapServers = kit.BootstrapServers,
            Group = topic,
            Topics = [topic],
            LogCheckInterval = TimeSpan.FromMilliseconds(500),
        };
        var pipeline = new ApplyPipeline(
            options, () => new TextDecoder(new TextDecoderState()), store, null, null, new StreamingMetrics(Metrics.WithCustomRegistry(registry)), TimeProvider.System, NullLoggerFactory.Instance);
        await pipeline.StartAsync();
        return pipeline;
    }

    /// <summary>
    /// What the group committed, as Kafka's own tool shows it; null while the group's coordinator does not answer. Not by librdkafka's ListConsumerGroupOffsets,
    /// which ends the process with a segmentation fault where the coordinator has just moved or is not back yet (2.16: it takes an admin client for a member of the group).
    /// </summary>
    private async Task<long?> GroupOffsetAsync(LaneId lane)
    {
        try
        {
            var lines = (await kit.RunAsync("groups", topic)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            var row = lines.Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .FirstOrDefault(fields => fields.Length > 3 && fields[1] == lane.Topic && fields[2] == lane.Partition.ToString(CultureInfo.InvariantCulture));
            return row is not null && long.TryParse(row[3], NumberStyles.None, CultureInfo.InvariantCulture, out var offset) ? offset : null;
        }
        catch (Xunit.Sdk.XunitException)
        {
            return null;
        }
    }

    private async Task<string> ScrapeAsync()
    {
        using var text = new MemoryStream();
        await registry.CollectAndExportAsTextAsync(text);
        return Encoding.UTF8.GetString(text.ToArray());
    }
}
