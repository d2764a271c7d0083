using System.Text;
using System.Text.Json;
using CdcMigrator.Debezium;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;
using CdcMigrator.TestKit;

namespace CdcMigrator.UnitTests.Debezium.Corpora;

/// <summary>Records of a real Debezium with the source's own text of every row (tests/corpora/record.sh).</summary>
internal sealed class Corpus
{
    public static readonly string[] Names = ["faithful", "defaults", "iso", "avro"];

    private static readonly Dictionary<string, Corpus> Loaded = Names.ToDictionary(name => name, name => new Corpus(name));

    private Corpus(string name)
    {
        Name = name;
        Settings = DebeziumSettings.FromConnector(Lines("settings.jsonl").Single(line => line.GetProperty("connector").GetString() == name)
            .GetProperty("config").Deserialize<Dictionary<string, string>>()!);
        Records = [.. Lines($"{name}.jsonl").Select(Record)];
        Routes = new RouteTable(Lines("catalog.jsonl").Where(table => table.GetProperty("key").ValueKind == JsonValueKind.Array).Select(CorpusCatalog.Route));
    }

    public string Name { get; }

    public DebeziumSettings Settings { get; }

    public IReadOnlyList<LogRecord> Records { get; }

    public RouteTable Routes { get; }

    public static Corpus Of(string name) => Loaded[name];

    /// <summary>A store of all recorded Avro schemas.</summary>
    public static SchemaStore Schemas()
    {
        var store = new SchemaStore();
        using var document = JsonDocument.Parse(File.ReadAllText(Repository.PathOf("tests", "corpora", "avro-schemas.json")));
        foreach (var schema in document.RootElement.EnumerateObject())
        {
            store.Add(int.Parse(schema.Name), schema.Value.GetProperty("schema").GetString()!);
        }

        return store;
    }

    public DebeziumDecoder Decoder() => new(Settings, () => Routes, Schemas());

    /// <summary>What the source held after each event, in the order of the events of a key.</summary>
    public static Dictionary<string, Queue<Dictionary<string, string?>>> Expected()
    {
        var expected = new Dictionary<string, Queue<Dictionary<string, string?>>>();
        foreach (var line in Lines("expected.jsonl"))
        {
            var columns = line.GetProperty("columns").Deserialize<Dictionary<string, string?>>()!;
            var route = Of("faithful").Routes.Find(TableName.Parse(line.GetProperty("table").GetString()!))!;
            var key = KeyOf(route, ordinal => columns[route.SourceColumns[ordinal]]!);
            if (!expected.TryGetValue(key, out var queue))
            {
                expected.Add(key, queue = new Queue<Dictionary<string, string?>>());
            }

            queue.Enqueue(columns);
        }

        return expected;
    }

    public static string KeyOf(TableRoute route, Func<int, string> text) =>
        $"{route.Source} {string.Join('|', route.Key.Columns.Select(text))}";

    private static List<JsonElement> Lines(string file) =>
        [.. File.ReadLines(Repository.PathOf("tests", "corpora", file)).Select(line => JsonDocument.Parse(line).RootElement)];

    private static LogRecord Record(JsonElement line) => new()
    {
        Lane = new LaneId(line.GetProperty("topic").GetString()!, line.GetProperty("partition").GetInt32()),
        Offset = line.GetProperty("offset").GetInt64(),
        Key = Bytes(line, "key"),
        Value = Bytes(line, "value"),
        Headers = line.TryGetProperty("headers", out var headers)
            ? [.. headers.EnumerateObject().Select(header => new LogHeader(header.Name, Encoding.UTF8.GetBytes(header.Value.GetString()!)))]
            : [],
    };

    private static byte[]? Bytes(JsonElement line, string name) =>
        !line.TryGetProperty(name, out var value) ? null
        : value.GetString()!.StartsWith(':') ? Convert.FromBase64String(value.GetString()![1..])
        : Encoding.UTF8.GetBytes(value.GetString()!);
}
