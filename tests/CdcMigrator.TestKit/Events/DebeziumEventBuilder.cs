using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.TestKit.Events;

/// <summary>
/// Makes records as Debezium writes them for one table in one partition: schemaless JSON, envelope fields in Debezium's order. Offsets,
/// positions and transaction ids grow by themselves; set the properties to steer them. Values are what the JSON shall hold (numbers,
/// strings, null, arrays), under <c>microseconds</c>, <c>decimal.handling.mode=string</c> and so on.
/// </summary>
public sealed class DebeziumEventBuilder
{
    /// <summary>Debezium's default placeholder of an unchanged TOAST value.</summary>
    public const string Unavailable = "__debezium_unavailable_value";

    /// <summary>The embedded log's form of the same.</summary>
    public static readonly object PlainUnavailable = Array.Empty<object>();

    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly string[] keyColumns;

    /// <summary>Makes a builder for a table whose key is <c>id</c> unless said otherwise.</summary>
    public DebeziumEventBuilder(string table, params string[] keyColumns)
    {
        Table = TableName.Parse(table);
        this.keyColumns = keyColumns.Length == 0 ? ["id"] : keyColumns;
    }

    /// <summary>Source table.</summary>
    public TableName Table { get; init; }

    /// <summary>Debezium's <c>topic.prefix</c>.</summary>
    public string Prefix { get; init; } = "shop";

    /// <summary>Version of the connector.</summary>
    public string? Version { get; init; } = "3.5.0.Final";

    /// <summary>Partition of the records.</summary>
    public int Partition { get; init; }

    /// <summary>Offset of the next record.</summary>
    public long NextOffset { get; set; }

    /// <summary>Commit LSN before the running transaction; null writes it as unknown.</summary>
    public ulong? CommitLsn { get; set; } = 1000;

    /// <summary>LSN of the next change; grows by 8 with each.</summary>
    public ulong Lsn { get; set; } = 2000;

    /// <summary>Transaction id of the next change.</summary>
    public long TransactionId { get; set; } = 700;

    /// <summary>Commit time of the next change, Unix milliseconds.</summary>
    public long TimestampMs { get; set; } = 1_700_000_000_000;

    /// <summary>Begins a new source transaction: what was written so far is committed before it.</summary>
    public DebeziumEventBuilder NextTransaction()
    {
        CommitLsn = Lsn;
        Lsn += 8;
        TransactionId++;
        TimestampMs++;
        return this;
    }

    /// <summary><c>c</c>.</summary>
    public LogRecord Insert(params (string Column, object? Value)[] after) => Row("c", after, []);

    /// <summary><c>u</c>.</summary>
    public LogRecord Update(params (string Column, object? Value)[] after) => Row("u", after, []);

    /// <summary><c>r</c> of an initial snapshot.</summary>
    public LogRecord SnapshotRow(params (string Column, object? Value)[] after) => Row("r", after, [], snapshot: "true");

    /// <summary><c>r</c> of an incremental snapshot: no lsn and no transaction, but a sequence.</summary>
    public LogRecord IncrementalRow(params (string Column, object? Value)[] after) => Row("r", after, [], snapshot: "incremental");

    /// <summary><c>d</c>; <paramref name="key"/> holds the key columns.</summary>
    public LogRecord Delete(params (string Column, object? Value)[] key) =>
        Record(Object(key), Envelope("d", Object(key), "null"), []);

    /// <summary>The null value behind a delete.</summary>
    public LogRecord Tombstone(params (string Column, object? Value)[] key) => Record(Object(key), null, []);

    /// <summary>An update of the key: delete, tombstone and create with their headers, all of one position.</summary>
    public LogRecord[] KeyChange((string Column, object? Value)[] oldKey, (string Column, object? Value)[] after)
    {
        var newKey = Object(after.Where(column => keyColumns.Contains(column.Column)));
        var lsn = Lsn;
        var delete = Record(Object(oldKey), Envelope("d", Object(oldKey), "null"), [Header("__debezium.newkey", newKey)]);
        var tombstone = Record(Object(oldKey), null, [Header("__debezium.newkey", newKey)]);
        Lsn = lsn;
        return [delete, tombstone, Row("c", after, [Header("__debezium.oldkey", Object(oldKey))])];
    }

    /// <summary><c>t</c>.</summary>
    public LogRecord Truncate() => Record(null, Envelope("t", "null", "null"), []);

    /// <summary>A logical decoding message.</summary>
    public LogRecord Message(string prefix, string content) => Record(
        Object([("prefix", prefix)]),
        $$"""{"op":"m","ts_ms":{{TimestampMs}},"source":{{Source(null, "", "")}},"message":{{Object([("prefix", prefix), ("content", Convert.ToBase64String(Encoding.UTF8.GetBytes(content)))])}}}""",
        [],
        $"{Prefix}.message");

    /// <summary>The connector's heartbeat.</summary>
    public LogRecord Heartbeat() => Record(
        Object([("serverName", Prefix)]), $$"""{"ts_ms":{{TimestampMs}}}""", [], $"__debezium-heartbeat.{Prefix}");

    /// <summary>BEGIN or END of a transaction.</summary>
    public LogRecord Transaction(string status) => Record(
        Object([("id", $"{TransactionId}:{Lsn}")]),
        Object([("status", status), ("id", $"{TransactionId}:{Lsn}"), ("event_count", null), ("data_collections", null), ("ts_ms", TimestampMs)]),
        [],
        $"{Prefix}.transaction");

    /// <summary>A row of <c>cdc_migrator.fence</c>.</summary>
    public LogRecord FenceRow(string id, string? value, string operation = "c") => new DebeziumEventBuilder("cdc_migrator.fence")
    {
        Prefix = Prefix,
        Partition = Partition,
        NextOffset = NextOffset++,
        CommitLsn = CommitLsn,
        Lsn = Lsn++,
        TransactionId = TransactionId,
        TimestampMs = TimestampMs,
    }.Row(operation, [("id", id), ("v", value)], []);

    /// <summary>Any row event.</summary>
    public LogRecord Row(string operation, IReadOnlyCollection<(string Column, object? Value)> after, LogHeader[] headers, string? snapshot = null)
    {
        var key = Object(after.Where(column => keyColumns.Contains(column.Column)));
        return Record(key, Envelope(operation, "null", Object(after), snapshot), headers);
    }

    /// <summary>A record of these bytes in the table's topic, or another.</summary>
    public LogRecord Record(string? key, string? value, LogHeader[] headers, string? topic = null) => new()
    {
        Lane = new LaneId(topic ?? $"{Prefix}.{Table.Schema}.{Table.Name}", Partition),
        Offset = NextOffset++,
        TimestampMs = TimestampMs,
        Key = key is null ? null : Encoding.UTF8.GetBytes(key),
        Value = value is null ? null : Encoding.UTF8.GetBytes(value),
        Headers = headers,
    };

    /// <summary>An envelope at the next position.</summary>
    public string Envelope(string operation, string before, string after, string? snapshot = null)
    {
        var envelope = $$"""{"before":{{before}},"after":{{after}},"source":{{Source(snapshot, Table.Schema, Table.Name)}},"transaction":null,"op":"{{operation}}","ts_ms":{{TimestampMs + 5}},"ts_us":{{(TimestampMs + 5) * 1000}},"ts_ns":{{(TimestampMs + 5) * 1000000}}}""";
        Lsn += 8;
        return envelope;
    }

    /// <summary>An object of these members as JSON.</summary>
    public static string Object(IEnumerable<(string Column, object? Value)> members) =>
        $"{{{string.Join(",", members.Select(member => $"{JsonSerializer.Serialize(member.Column, Json)}:{JsonSerializer.Serialize(member.Value, Json)}"))}}}";

    private string Source(string? snapshot, string schema, string table)
    {
        var incremental = snapshot == "incremental";
        var commit = snapshot is "true" ? null : CommitLsn;
        var sequence = JsonSerializer.Serialize(JsonSerializer.Serialize(new[] { commit?.ToString(), Lsn.ToString() }), Json);
        return Object([
            ("version", Version), ("connector", "postgresql"), ("name", Prefix), ("ts_ms", TimestampMs), ("snapshot", snapshot), ("db", "shop")])[..^1]
            + $",\"sequence\":{sequence},"
            + Object([
                ("ts_us", TimestampMs * 1000), ("ts_ns", TimestampMs * 1000000), ("schema", schema), ("table", table),
                ("txId", incremental ? null : TransactionId), ("lsn", incremental ? null : Lsn), ("xmin", null), ("origin", null), ("origin_lsn", null)])[1..];
    }

    private static LogHeader Header(string key, string json) => new(key, Encoding.UTF8.GetBytes(json));
}
