using System.Text;
using Confluent.Kafka;

namespace CdcMigrator.TestKit.Kafka;

/// <summary>
/// librdkafka's in-process broker: real protocol, no download, gone with its owner. Topics appear on the first record with 4 partitions, each
/// of which keeps about 5 MiB; consumer groups of both protocols work.
/// </summary>
public sealed class InProcessBroker : IDisposable
{
    public const int Partitions = 4;
    private readonly IProducer<byte[]?, byte[]?> producer;

    public InProcessBroker()
    {
        var config = new ProducerConfig { BootstrapServers = "unused:1", LingerMs = 1, MessageMaxBytes = 8 << 20 };
        config.Set("test.mock.num.brokers", "1");
        producer = new ProducerBuilder<byte[]?, byte[]?>(config).SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();
        using var admin = new DependentAdminClientBuilder(producer.Handle).Build();
        BootstrapServers = string.Join(",", admin.GetMetadata(TimeSpan.FromSeconds(10)).Brokers.Select(broker => $"{broker.Host}:{broker.Port}"));
    }

    public string BootstrapServers { get; }

    /// <summary>Writes one record and returns its offset.</summary>
    public async Task<long> ProduceAsync(string topic, int partition, string? key, string? value, Headers? headers = null)
    {
        var message = new Message<byte[]?, byte[]?> { Key = Bytes(key), Value = Bytes(value), Headers = headers };
        var result = await producer.ProduceAsync(new TopicPartition(topic, partition), message);
        return result.Offset.Value;
    }

    /// <summary>Writes many records in order, the number appended to the value, spread over all partitions round robin.</summary>
    public void ProduceMany(string topic, int count, string value = "v", int first = 0)
    {
        for (var i = first; i < first + count; i++)
        {
            Enqueue(topic, i % Partitions, $"k{i % 97}", $"{value}{i}");
        }

        producer.Flush(TimeSpan.FromSeconds(30));
    }

    /// <summary>Writes records of a size to one partition.</summary>
    public void ProduceBytes(string topic, int partition, int count, int bytes)
    {
        for (var i = 0; i < count; i++)
        {
            Enqueue(topic, partition, $"k{i}", new string('x', bytes));
        }

        producer.Flush(TimeSpan.FromSeconds(30));
    }

    public void Dispose() => producer.Dispose();

    private static byte[]? Bytes(string? text) => text is null ? null : Encoding.UTF8.GetBytes(text);

    private void Enqueue(string topic, int partition, string key, string value)
    {
        while (true)
        {
            try
            {
                producer.Produce(new TopicPartition(topic, partition), new Message<byte[]?, byte[]?> { Key = Bytes(key), Value = Bytes(value) });
                return;
            }
            catch (ProduceException<byte[]?, byte[]?> e) when (e.Error.Code == ErrorCode.Local_QueueFull)
            {
                producer.Flush(TimeSpan.FromMilliseconds(100));
            }
        }
    }
}
