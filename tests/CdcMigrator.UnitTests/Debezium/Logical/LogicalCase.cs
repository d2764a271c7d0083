using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CdcMigrator.Debezium;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;
using CdcMigrator.TestKit.Events;

namespace CdcMigrator.UnitTests.Debezium.Logical;

/// <summary>One value of one type: how Connect describes and writes it, and what PostgreSQL's text of it is.</summary>
internal sealed record LogicalCase(TargetColumn Column, string Connect, string Json, string Expected)
{
    /// <summary>Connector settings beside the faithful ones.</summary>
    public (string Key, string Value)[] Settings { get; init; } = [];

    /// <summary>The row is of a snapshot.</summary>
    public bool Snapshot { get; init; }

    /// <summary>The value has no schemaless form of its own, because nothing there says what it is.</summary>
    public bool NeedsSchema { get; init; }

    /// <summary>The text differs by format: JSON keeps a float's literal.</summary>
    public string? ExpectedOfAvro { get; init; }

    /// <summary>What the migration file says of the column.</summary>
    public ColumnMapping Mapping { get; init; } = ColumnMapping.None;

    /// <summary>What the source's catalog says of it.</summary>
    public OriginColumn? Origin { get; init; }

    private TableRoute Route
    {
        get
        {
            var mapping = new TableMapping { Source = new("public", "t"), Target = new("public", "t"), Columns = new Dictionary<string, ColumnMapping> { ["v"] = Mapping } };
            var route = TestRoutes.Of(mapping, [0], TestRoutes.Bigint("id"), Column);
            return Origin is null ? route : route.WithSource(new Dictionary<string, OriginColumn> { ["v"] = Origin });
        }
    }

    private DebeziumSettings DecoderSettings => DebeziumSettings.FromConnector(new Dictionary<string, string>(
        new Dictionary<string, string>
        {
            ["topic.prefix"] = "shop",
            ["decimal.handling.mode"] = "string",
            ["time.precision.mode"] = "microseconds",
            ["interval.handling.mode"] = "string",
            ["include.unknown.datatypes"] = "true",
        }.Concat(Settings.Select(setting => KeyValuePair.Create(setting.Key, setting.Value))).GroupBy(pair => pair.Key).Select(group => group.Last())));

    public string Schemaless() => Decode(Value(), "{\"id\":1}", null);

    public string WithSchema()
    {
        var schema = $"{{\"type\":\"struct\",\"fields\":[{{\"type\":\"struct\",\"optional\":true,\"field\":\"after\",\"fields\":[{{\"type\":\"int64\",\"field\":\"id\"}},{Field()}]}}]}}";
        return Decode($"{{\"schema\":{schema},\"payload\":{Value()}}}", "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"int64\",\"field\":\"id\"}]},\"payload\":{\"id\":1}}", null);
    }

    public string Avro()
    {
        using var field = JsonDocument.Parse(Field());
        using var value = JsonDocument.Parse(Json);
        var envelope = new JsonObject
        {
            ["type"] = "record",
            ["name"] = "Envelope",
            ["fields"] = new JsonArray(
                new JsonObject
                {
                    ["name"] = "after",
                    ["type"] = new JsonArray("null", new JsonObject
                    {
                        ["type"] = "record",
                        ["name"] = "Value",
                        ["fields"] = new JsonArray(
                            new JsonObject { ["name"] = "id", ["type"] = "long" },
                            new JsonObject { ["name"] = "v", ["type"] = ConnectAvro.Schema(field.RootElement, "v") }),
                    }),
                },
                new JsonObject
                {
                    ["name"] = "source",
                    ["type"] = new JsonObject
                    {
                        ["type"] = "record",
                        ["name"] = "Source",
                        ["fields"] = new JsonArray(
                            new JsonObject { ["name"] = "schema", ["type"] = "string" },
                            new JsonObject { ["name"] = "table", ["type"] = "string" }),
                    },
                },
                new JsonObject { ["name"] = "op", ["type"] = "string" }),
        };
        var store = new SchemaStore();
        store.Add(7, envelope.ToJsonString());
        store.Add(8, """{"type":"record","name":"Key","fields":[{"name":"id","type":"long"}]}""");
        var bytes = new List<byte>(Head(7)) { 2 };
        ConnectAvro.Integer(1, bytes);
        ConnectAvro.Write(field.RootElement, value.RootElement, bytes);
        foreach (var text in new[] { "public", "t", Operation })
        {
            ConnectAvro.Integer(text.Length, bytes);
            bytes.AddRange(Encoding.ASCII.GetBytes(text));
        }

        return Decode([.. bytes], [.. Head(8), 2], store);
    }

    public override string ToString() => $"{Column.Type.Sql} {Json} under {Connect}";

    private string Operation => Snapshot ? "r" : "c";

    private string Field()
    {
        var field = JsonNode.Parse(Connect)!.AsObject();
        field["field"] = "v";
        field["optional"] = true;
        return field.ToJsonString();
    }

    private string Value() => $"{{\"before\":null,\"after\":{{\"id\":1,\"v\":{Json}}},\"source\":{{\"schema\":\"public\",\"table\":\"t\"}},\"op\":\"{Operation}\"}}";

    private static byte[] Head(int id)
    {
        var head = new byte[5];
        BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(1), id);
        return head;
    }

    private string Decode(string value, string key, SchemaStore? store) => Decode(Encoding.UTF8.GetBytes(value), Encoding.UTF8.GetBytes(key), store);

    private string Decode(byte[] value, byte[] key, SchemaStore? store)
    {
        var table = new RouteTable([Route]);
        var record = new LogRecord { Lane = new LaneId("shop.public.t", 0), Offset = 0, Key = key, Value = value };
        return DecodedRow.Decode(record, new DebeziumDecoder(DecoderSettings, () => table, store))["v"];
    }
}
