using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Avro;
using Avro.Generic;
using Avro.IO;
using CdcMigrator.Debezium;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Reconciliation.Reading;
using CdcMigrator.TestKit.Events;

namespace CdcMigrator.Benchmarks.Micro;

/// <summary>The comparison's 10-column row as Debezium writes it, in each format.</summary>
internal static class SampleOrders
{
    public const int Rows = 1000;
    private const int KeySchema = 1;
    private const int ValueSchema = 2;

    private const string Key = """{"type":"record","name":"Key","fields":[{"name":"id","type":"long"}]}""";

    private const string Value = """
        {"type":"record","name":"Envelope","fields":[
          {"name":"before","type":["null",{"type":"record","name":"Value","fields":[
            {"name":"id","type":"long"},{"name":"customer_id","type":"long"},{"name":"status","type":"string"},{"name":"amount","type":"string"},{"name":"currency","type":"string"},
            {"name":"quantity","type":"int"},{"name":"created_at","type":{"type":"long","connect.name":"io.debezium.time.MicroTimestamp"}},{"name":"paid","type":"boolean"},
            {"name":"note","type":["null","string"],"default":null},{"name":"rev","type":"long"}]}],"default":null},
          {"name":"after","type":["null","Value"],"default":null},
          {"name":"source","type":{"type":"record","name":"Source","fields":[
            {"name":"version","type":"string"},{"name":"connector","type":"string"},{"name":"name","type":"string"},{"name":"ts_ms","type":"long"},
            {"name":"snapshot","type":["null","string"],"default":null},{"name":"db","type":"string"},{"name":"sequence","type":["null","string"],"default":null},
            {"name":"schema","type":"string"},{"name":"table","type":"string"},{"name":"txId","type":["null","long"],"default":null},{"name":"lsn","type":["null","long"],"default":null}]}},
          {"name":"op","type":"string"},{"name":"ts_ms","type":["null","long"],"default":null}]}
        """;

    public static TableRoute Route { get; } = TestRoutes.Of("public.orders",
        TestRoutes.Bigint("id"), TestRoutes.Bigint("customer_id"), TestRoutes.Text("status"), TestRoutes.Column("amount", ColumnKind.Numeric, "numeric"),
        TestRoutes.Column("currency", ColumnKind.Text, "bpchar"), TestRoutes.Column("quantity", ColumnKind.Integer, "integer", "int4"),
        TestRoutes.Column("created_at", ColumnKind.Timestamp, "timestamp", "timestamp"), TestRoutes.Column("paid", ColumnKind.Boolean, "boolean", "bool"), TestRoutes.Text("note"), TestRoutes.Bigint("rev"));

    public static DebeziumDecoder Decoder()
    {
        var schemas = new SchemaStore();
        schemas.Add(KeySchema, Key);
        schemas.Add(ValueSchema, Value);
        var settings = DebeziumSettings.FromConnector(new Dictionary<string, string>
        {
            ["connector.class"] = "io.debezium.connector.postgresql.PostgresConnector",
            ["topic.prefix"] = "shop",
            ["decimal.handling.mode"] = "string",
            ["time.precision.mode"] = "microseconds",
            ["value.converter.replace.null.with.default"] = "false",
        });
        var routes = new RouteTable([Route]);
        return new DebeziumDecoder(settings, () => routes, schemas);
    }

    public static RecordReader Reader()
    {
        var schemas = new WriterSchemas();
        schemas.Add(KeySchema, Key);
        schemas.Add(ValueSchema, Value);
        var orders = new ComparedTable
        {
            Source = Route.Source,
            Target = Route.Source,
            Columns = [new ComparedColumn("id", "id", CanonicalForm.Text) { SourceType = "bigint", SourceDeclaration = "bigint" }],
            Key = [0],
        };
        return new RecordReader(new ReadingSettings { TopicPrefix = "shop" }, [orders], schemas);
    }

    public static LogRecord[] Json()
    {
        var builder = new DebeziumEventBuilder("public.orders");
        return [.. Enumerable.Range(0, Rows).Select(i => builder.Insert([.. Columns(i)]))];
    }

    /// <summary>With the schema in each record, as JsonConverter writes it unless told not to.</summary>
    public static LogRecord[] JsonWithSchema()
    {
        const string Key = """{"schema":{"type":"struct","fields":[{"type":"int64","optional":false,"field":"id"}],"optional":false,"name":"shop.public.orders.Key"},"payload":""";
        string[] types = ["int64", "int64", "string", "string", "string", "int32", "int64", "boolean", "string", "int64"];
        var fields = string.Join(',', Columns(0).Select((column, i) =>
            $$"""{"type":"{{types[i]}}","optional":{{(column.Column == "note" ? "true" : "false")}}{{(column.Column == "created_at" ? ",\"name\":\"io.debezium.time.MicroTimestamp\",\"version\":1" : "")}},"field":"{{column.Column}}"}"""));
        var row = $$"""{"type":"struct","fields":[{{fields}}],"optional":true,"name":"shop.public.orders.Value","field":""";
        var value = $$"""{"schema":{"type":"struct","fields":[{{row}}"before"},{{row}}"after"},{"type":"string","optional":false,"field":"op"}],"optional":false,"name":"shop.public.orders.Envelope"},"payload":""";
        return [.. Json().Select(record => record with { Key = Wrap(Key, record.Key!), Value = Wrap(value, record.Value!) })];
    }

    public static LogRecord[] Avro()
    {
        var keySchema = (RecordSchema)Schema.Parse(Key);
        var valueSchema = (RecordSchema)Schema.Parse(Value);
        var rowSchema = (RecordSchema)((UnionSchema)valueSchema["after"].Schema).Schemas[1];
        var sourceSchema = (RecordSchema)valueSchema["source"].Schema;
        return [.. Enumerable.Range(0, Rows).Select(i =>
        {
            var key = new GenericRecord(keySchema);
            key.Add("id", (long)i);
            var row = new GenericRecord(rowSchema);
            foreach (var (column, value) in Columns(i))
            {
                row.Add(column, value);
            }

            var source = new GenericRecord(sourceSchema);
            foreach (var (name, value) in new (string, object?)[]
            {
                ("version", "3.5.0.Final"), ("connector", "postgresql"), ("name", "shop"), ("ts_ms", 1_700_000_000_000L), ("snapshot", "false"), ("db", "shop"),
                ("sequence", $"[\"1000\",\"{2000 + i}\"]"), ("schema", "public"), ("table", "orders"), ("txId", 700L), ("lsn", 2000L + i),
            })
            {
                source.Add(name, value);
            }

            var envelope = new GenericRecord(valueSchema);
            envelope.Add("before", null);
            envelope.Add("after", row);
            envelope.Add("source", source);
            envelope.Add("op", "c");
            envelope.Add("ts_ms", 1_700_000_000_005L);
            return new LogRecord { Lane = new LaneId("shop.public.orders", 0), Offset = i, Key = Encode(key, KeySchema), Value = Encode(envelope, ValueSchema) };
        })];
    }

    private static IEnumerable<(string Column, object? Value)> Columns(int i) =>
    [
        ("id", (long)i), ("customer_id", i * 37L), ("status", "new"), ("amount", (i / 7m).ToString("0.00", CultureInfo.InvariantCulture)), ("currency", "EUR"), ("quantity", (i % 9) + 1),
        ("created_at", 1_767_225_600_000_000 + (i * 1_234_567L)), ("paid", false), ("note", i % 3 == 0 ? null : $"order number {i}"), ("rev", 0L),
    ];

    private static byte[] Wrap(string schema, byte[] payload) => [.. Encoding.UTF8.GetBytes(schema), .. payload, (byte)'}'];

    private static byte[] Encode(GenericRecord record, int id)
    {
        using var stream = new MemoryStream();
        stream.Write([0, 0, 0, 0, 0]);
        new GenericDatumWriter<GenericRecord>(record.Schema).Write(record, new BinaryEncoder(stream));
        var bytes = stream.ToArray();
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(1), id);
        return bytes;
    }
}
