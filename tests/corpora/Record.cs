#:package Confluent.Kafka
#:property PublishAot=false
#:property GenerateDocumentationFile=false
#:property RestorePackagesWithLockFile=false
#:property EnforceCodeStyleInBuild=false

// Reads all topics of a prefix from their beginning to their end and prints one JSON line a record.
// usage: dotnet run Record.cs -- BOOTSTRAP PREFIX LIMIT_OF_HEARTBEATS
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Confluent.Kafka;

var (bootstrap, prefix, heartbeats) = (args[0], args[1], int.Parse(args[2], System.Globalization.CultureInfo.InvariantCulture));
var options = new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull };
using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = bootstrap }).Build();
using var consumer = new ConsumerBuilder<byte[]?, byte[]?>(new ConsumerConfig { BootstrapServers = bootstrap, GroupId = "record", EnablePartitionEof = true, EnableAutoCommit = false })
    .SetKeyDeserializer(Deserializers.ByteArray!).SetValueDeserializer(Deserializers.ByteArray!).Build();
var partitions = admin.GetMetadata(TimeSpan.FromSeconds(10)).Topics
    .Where(topic => topic.Topic.StartsWith(prefix + ".", StringComparison.Ordinal) || topic.Topic == "__debezium-heartbeat." + prefix)
    .SelectMany(topic => topic.Partitions.Select(partition => new TopicPartitionOffset(topic.Topic, partition.PartitionId, Offset.Beginning)))
    .OrderBy(partition => partition.Topic, StringComparer.Ordinal).ThenBy(partition => partition.Partition.Value).ToList();
foreach (var partition in partitions)
{
    consumer.Assign(partition);
    while (consumer.Consume(TimeSpan.FromSeconds(20)) is { } record && !record.IsPartitionEOF)
    {
        if (record.Topic.StartsWith("__", StringComparison.Ordinal) && heartbeats-- <= 0)
        {
            break;
        }

        // Context headers say nothing about the row and would double the size.
        var headers = record.Message.Headers.Where(header => !header.Key.StartsWith("__debezium.context", StringComparison.Ordinal))
            .ToDictionary(header => header.Key, header => Show(header.GetValueBytes()));
        Console.WriteLine(JsonSerializer.Serialize(
            new { topic = record.Topic, partition = record.Partition.Value, offset = record.Offset.Value, key = Show(record.Message.Key), value = Show(record.Message.Value), headers = headers.Count == 0 ? null : headers },
            options));
    }
}

// Text as it is; anything else in base64 behind a colon, which begins no JSON.
static string? Show(byte[]? bytes)
{
    if (bytes is null)
    {
        return null;
    }

    return bytes.Length > 0 && bytes[0] == 0 ? ":" + Convert.ToBase64String(bytes) : Encoding.UTF8.GetString(bytes);
}
