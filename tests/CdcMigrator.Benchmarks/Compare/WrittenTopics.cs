using CdcMigrator.TestKit.Events;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace CdcMigrator.Benchmarks.Compare;

/// <summary>Topics of inserts in Debezium's form that are written here, straight into Kafka, and the empty target tables they are for.</summary>
internal sealed class WrittenTopics(Rig rig, string prefix, IReadOnlyList<string> tables)
{
    private readonly ClientConfig client = new() { BootstrapServers = rig.Kit.BootstrapServers };
    private readonly List<DebeziumEventBuilder> builders = [.. tables.Select(table => new DebeziumEventBuilder($"public.{table}") { Prefix = prefix })];
    private int written;

    public async Task CreateAsync(int partitions)
    {
        using var admin = new AdminClientBuilder(client).Build();
        await admin.CreateTopicsAsync(tables.Select(table => new TopicSpecification
        {
            Name = $"{prefix}.public.{table}",
            NumPartitions = partitions,
            Configs = new Dictionary<string, string> { ["max.message.bytes"] = "8388608" },
        }));
    }

    /// <summary>Writes more rows, table by table in turn.</summary>
    public void Write(int rows, Func<int, (string, object?)[]> row)
    {
        using var producer = new ProducerBuilder<byte[]?, byte[]?>(
            new ProducerConfig(client) { EnableIdempotence = true, LingerMs = 20, MessageMaxBytes = 8 << 20, QueueBufferingMaxKbytes = 64 << 10 }).Build();
        for (var end = written + rows; written < end; written++)
        {
            var record = builders[written % tables.Count].NextTransaction().Insert(row(written));
            while (true)
            {
                try
                {
                    producer.Produce(record.Lane.Topic, new Message<byte[]?, byte[]?> { Key = record.Key, Value = record.Value });
                    break;
                }
                catch (ProduceException<byte[]?, byte[]?> e) when (e.Error.Code == ErrorCode.Local_QueueFull)
                {
                    producer.Poll(TimeSpan.FromMilliseconds(50));
                }
            }
        }

        producer.Flush(TimeSpan.FromMinutes(2));
    }

    /// <summary>A fresh target with the tables. Returns its connection string.</summary>
    public async Task<string> CreateTargetAsync(string columns)
    {
        var connection = await rig.CreateTargetAsync();
        await using var target = Npgsql.NpgsqlDataSource.Create(connection + ";Pooling=false");
        await using var command = target.CreateCommand(string.Join(";", tables.Select(table => $"create table {table} {columns}")));
        await command.ExecuteNonQueryAsync();
        return connection;
    }
}
