using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Embedded.Broker;
using Confluent.Kafka;

namespace CdcMigrator.Embedded.Publishing;

/// <summary>Sends records to the in-process broker, in order, and checks that each lands at the offset it was counted under. One caller.</summary>
internal sealed class LogProducer : IDisposable
{
    private readonly IProducer<byte[]?, byte[]?> producer;
    private volatile FaultException? failure;

    /// <summary>Connects to the broker.</summary>
    public LogProducer(string bootstrapServers)
    {
        producer = new ProducerBuilder<byte[]?, byte[]?>(new ProducerConfig
        {
            BootstrapServers = bootstrapServers,
            EnableIdempotence = true,
            LingerMs = 1,
            MessageMaxBytes = EmbeddedBroker.MaxMessageBytes,
            MessageTimeoutMs = 0,
            QueueBufferingMaxMessages = 500_000,
        }).SetLogHandler((_, _) => { }).SetErrorHandler((_, error) => Fail(error)).Build();
    }

    /// <summary>Hands a record over. Returns before the broker has it.</summary>
    /// <exception cref="FaultException">Internal: an earlier record did not reach the broker, or not at its offset.</exception>
    public void Send(LaneId lane, long offset, byte[]? key, byte[]? value, Headers? headers)
    {
        if (failure is { } failed)
        {
            throw failed;
        }

        var message = new Message<byte[]?, byte[]?> { Key = key, Value = value, Headers = headers };
        while (true)
        {
            try
            {
                producer.Produce(new TopicPartition(lane.Topic, lane.Partition), message, report => Check(report, offset));
                return;
            }
            catch (ProduceException<byte[]?, byte[]?> exception) when (exception.Error.Code == ErrorCode.Local_QueueFull)
            {
                producer.Flush(TimeSpan.FromMilliseconds(100));
            }
        }
    }

    /// <inheritdoc />
    public void Dispose() => producer.Dispose();

    private void Check(DeliveryReport<byte[]?, byte[]?> report, long offset)
    {
        if (report.Error.IsError)
        {
            failure ??= Broken($"{report.Topic}[{report.Partition.Value}] did not take a record: {report.Error.Reason}");
        }
        else if (report.Offset.Value != offset)
        {
            failure ??= Broken($"a record of {report.Topic}[{report.Partition.Value}] got offset {report.Offset.Value} instead of {offset}");
        }
    }

    private void Fail(Error error)
    {
        if (error.IsFatal)
        {
            failure ??= Broken(error.Reason);
        }
    }

    private static FaultException Broken(string reason) => new(FaultKind.Internal, "embedded-broker", $"The in-process broker failed: {reason}", "Restart the process; it resumes from the replication slot");
}
