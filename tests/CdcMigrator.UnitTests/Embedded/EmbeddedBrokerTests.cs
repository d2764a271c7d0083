using CdcMigrator.Domain.Log;
using CdcMigrator.Embedded.Broker;
using CdcMigrator.Embedded.Publishing;
using Confluent.Kafka;

namespace CdcMigrator.UnitTests.Embedded;

public sealed class EmbeddedBrokerTests
{
    [Fact]
    public void Keeps_what_flow_control_lets_in_flight_and_hands_out_the_largest_record()
    {
        using var broker = EmbeddedBroker.Start();
        broker.CreateTopic("t");
        broker.CreateTopic("t");
        using var producer = new LogProducer(broker.BootstrapServers);

        // As many small records as a lane may hold at once, then the largest alone.
        const int Small = 100;
        var count = FlowControl.LaneLimit / (Small + 64);
        for (var i = 0; i < count; i++)
        {
            producer.Send(new LaneId("t", 1), i, [1], new byte[Small - 1], null);
        }

        producer.Send(new LaneId("t", 2), 0, null, new byte[Publisher.MaxRecordBytes], null);
        using var consumer = new ConsumerBuilder<byte[]?, byte[]?>(new ConsumerConfig
        {
            BootstrapServers = broker.BootstrapServers,
            GroupId = "g",
            AutoOffsetReset = AutoOffsetReset.Error,
        }).SetLogHandler((_, _) => { }).Build();
        consumer.Assign([new TopicPartitionOffset("t", 1, 0), new TopicPartitionOffset("t", 2, 0)]);
        var seen = 0;
        var largest = 0;
        var until = DateTime.UtcNow.AddSeconds(60);
        while ((seen < count || largest == 0) && DateTime.UtcNow < until)
        {
            if (consumer.Consume(TimeSpan.FromMilliseconds(100)) is { } result)
            {
                seen += result.Partition.Value == 1 ? 1 : 0;
                largest = Math.Max(largest, result.Message.Value!.Length);
            }
        }

        Assert.Equal((count, Publisher.MaxRecordBytes), (seen, largest));
    }
}
