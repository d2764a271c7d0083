using CdcMigrator.Domain.Faults;
using Confluent.Kafka;

namespace CdcMigrator.Embedded.Broker;

/// <summary>
/// librdkafka's mock cluster in this process: one broker on 127.0.0.1. A topic appears on first use with
/// <see cref="PartitionCount"/> partitions; about 5 MiB are kept a partition, and nothing after <see cref="Dispose"/>.
/// </summary>
public sealed class EmbeddedBroker : IDisposable
{
    /// <summary>Partitions of every topic.</summary>
    public const int PartitionCount = 4;

    /// <summary>Largest record a producer of this broker sends, in bytes.</summary>
    internal const int MaxMessageBytes = 4 * 1024 * 1024 + 64 * 1024;

    private static readonly TimeSpan MetadataTimeout = TimeSpan.FromSeconds(10);

    private readonly IProducer<byte[], byte[]> owner;
    private readonly IAdminClient admin;

    private EmbeddedBroker(IProducer<byte[], byte[]> owner, IAdminClient admin, string bootstrapServers)
    {
        this.owner = owner;
        this.admin = admin;
        BootstrapServers = bootstrapServers;
    }

    /// <summary>Where clients connect; the port is new at every start.</summary>
    public string BootstrapServers { get; }

    /// <summary>Starts a broker. Blocks for some milliseconds.</summary>
    /// <exception cref="FaultException">Internal: it does not answer.</exception>
    public static EmbeddedBroker Start()
    {
        var config = new ProducerConfig { BootstrapServers = "mock:1", LogConnectionClose = false };
        config.Set("test.mock.num.brokers", "1");
        var owner = new ProducerBuilder<byte[], byte[]>(config).SetLogHandler((_, _) => { }).Build();
        var admin = new DependentAdminClientBuilder(owner.Handle).Build();
        try
        {
            var brokers = admin.GetMetadata(MetadataTimeout).Brokers;
            return new EmbeddedBroker(owner, admin, string.Join(',', brokers.Select(broker => $"{broker.Host}:{broker.Port}")));
        }
        catch (KafkaException exception)
        {
            admin.Dispose();
            owner.Dispose();
            throw new FaultException(FaultKind.Internal, "embedded-broker", $"The in-process broker does not answer: {exception.Error.Reason}", inner: exception);
        }
    }

    /// <summary>Makes the topic exist, so that consumers find it before its first record. Idempotent.</summary>
    public void CreateTopic(string topic)
    {
        var partitions = admin.GetMetadata(topic, MetadataTimeout).Topics[0].Partitions.Count;
        if (partitions != PartitionCount)
        {
            throw new FaultException(FaultKind.Internal, "embedded-broker", $"Topic {topic} has {partitions} partitions in the in-process broker, not {PartitionCount}");
        }
    }

    /// <summary>Takes the broker down with all its records.</summary>
    public void Dispose()
    {
        admin.Dispose();
        owner.Dispose();
    }
}
