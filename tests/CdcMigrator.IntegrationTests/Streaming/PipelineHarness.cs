using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Status;
using CdcMigrator.Streaming;
using CdcMigrator.TestKit.Kafka;
using Prometheus;

namespace CdcMigrator.IntegrationTests.Streaming;

/// <summary>An in-process broker, a target in memory and any number of pipelines of one group.</summary>
public sealed class PipelineHarness : IAsyncDisposable
{
    public const string Topic = "shop.public.t";
    private readonly List<ApplyPipeline> pipelines = [];

    public InProcessBroker Broker { get; } = new();

    public FakeLaneStore Store { get; } = new();

    public TextDecoderState Decoding { get; } = new();

    public CollectorRegistry Registry { get; } = Metrics.NewCustomRegistry();

    public CountingLog Log { get; } = new();

    public List<(LaneId Lane, long Offset, FenceRow Row)> Fences { get; } = [];

    public static LaneId Lane(int partition, string topic = Topic) => new(topic, partition);

    public StreamingOptions Options => new()
    {
        BootstrapServers = Broker.BootstrapServers,
        Group = "cdcm-test",
        Topics = [Topic],
        Incarnation = "life-1",
        LogCheckInterval = TimeSpan.FromMilliseconds(300),
        HaltedRetryInterval = TimeSpan.FromMilliseconds(400),
        DrainTimeout = TimeSpan.FromSeconds(10),
    };

    public async Task<ApplyPipeline> StartAsync(StreamingOptions? options = null)
    {
        using var logging = LoggerFactory.Create(builder => builder.SetMinimumLevel(LogLevel.Debug).AddProvider(Log));
        var pipeline = new ApplyPipeline(
            options ?? Options,
            () => new TextDecoder(Decoding),
            Store,
            Decoding,
            (lane, offset, row) =>
            {
                lock (Fences)
                {
                    Fences.Add((lane, offset, row));
                }
            },
            new StreamingMetrics(Metrics.WithCustomRegistry(Registry)),
            TimeProvider.System,
            logging);
        pipelines.Add(pipeline);
        await pipeline.StartAsync();
        return pipeline;
    }

    public static async Task UntilAsync(Func<bool> condition, string what, int seconds = 45)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        while (!condition())
        {
            Assert.False(limit.IsCancellationRequested, $"not within {seconds} s: {what}");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    public static LaneStatus? StatusOf(ApplyPipeline pipeline, int partition = 0) =>
        pipeline.Status().Lanes.FirstOrDefault(lane => lane.Lane == Lane(partition));

    /// <summary>Nothing lost, nothing doubled, in order: what the target committed is exactly the offsets 0 to <paramref name="perLane"/> of every lane.</summary>
    public void AssertComplete(int perLane)
    {
        for (var partition = 0; partition < InProcessBroker.Partitions; partition++)
        {
            Assert.Equal(Enumerable.Range(0, perLane).Select(i => (long)i), Store.Applied(Lane(partition)).Select(change => change.Offset));
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var pipeline in pipelines)
        {
            await pipeline.DisposeAsync();
        }

        Broker.Dispose();
    }
}
