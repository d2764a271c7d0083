using System.Globalization;
using System.Text.Json.Nodes;
using Npgsql;

namespace CdcMigrator.Benchmarks.Compare;

/// <summary>Debezium's JDBC sink in the kit's Connect, at the settings found to be its best; reads Avro, because schemaless JSON it cannot read.</summary>
internal static class JdbcSinkRun
{
    private static int connectors;

    /// <summary>Tasks and batch size to try, the best first.</summary>
    public static readonly (int Tasks, int Batch)[] Settings = [(4, 5000), (2, 10000)];

    public static async Task<Result> MeasureAsync(Rig rig, Workload workload, int tasks, int batch)
    {
        var connection = await rig.CreateTargetAsync();
        await using var target = NpgsqlDataSource.Create(connection);
        var name = $"sink{++connectors}";
        var address = new NpgsqlConnectionStringBuilder(connection);
        var converter = (string side) => new Dictionary<string, JsonNode?>
        {
            [$"{side}.converter"] = "io.apicurio.registry.utils.converter.AvroConverter",
            [$"{side}.converter.apicurio.registry.url"] = rig.Kit.ApicurioUrl.ToString(),
            [$"{side}.converter.apicurio.registry.headers.enabled"] = "false",
            [$"{side}.converter.apicurio.registry.as-confluent"] = "true",
            [$"{side}.converter.apicurio.registry.use-id"] = "contentId",
        };
        var config = new JsonObject
        {
            ["connector.class"] = "io.debezium.connector.jdbc.JdbcSinkConnector",
            ["tasks.max"] = tasks.ToString(CultureInfo.InvariantCulture),
            ["topics"] = $"{Topics.Prefix("avro")}.public.{workload.Table}",
            ["connection.url"] = $"jdbc:postgresql://{address.Host}:{address.Port}/{address.Database}?reWriteBatchedInserts=true",
            ["connection.username"] = address.Username,
            ["connection.password"] = "unused",
            ["insert.mode"] = "upsert",
            ["delete.enabled"] = "true",
            ["truncate.enabled"] = "true",
            ["primary.key.mode"] = "record_key",
            ["schema.evolution"] = "none",
            ["collection.name.format"] = "${source.table}",
            ["batch.size"] = batch.ToString(CultureInfo.InvariantCulture),

            // One put() should fill a batch, and the reduction buffer keeps deletes from cutting batches short.
            ["use.reduction.buffer"] = workload.Name == "insert" ? "false" : "true",
            ["consumer.override.auto.offset.reset"] = "earliest",
            ["consumer.override.max.poll.records"] = batch.ToString(CultureInfo.InvariantCulture),
            ["consumer.override.max.partition.fetch.bytes"] = "10485760",
            ["consumer.override.fetch.min.bytes"] = "1",
        };
        foreach (var (key, value) in converter("key").Concat(converter("value")))
        {
            config[key] = value;
        }

        await rig.PutAsync(name, config);
        try
        {
            return await Stretch.MeasureAsync(new Result(workload.Name, $"JDBC sink, {tasks} tasks, batch {batch}", "avro", 0, false), rig, target, workload, async () =>
            {
                if (await rig.FailureAsync(name) is { Length: > 0 } failure)
                {
                    throw new InvalidOperationException($"the sink failed: {failure}");
                }
            });
        }
        catch (InvalidOperationException e)
        {
            Console.Error.WriteLine(e.Message);
            return new Result(workload.Name, $"JDBC sink, {tasks} tasks, batch {batch} (failed)", "avro", 0, false);
        }
        finally
        {
            await rig.DeleteAsync(name);
        }
    }
}
