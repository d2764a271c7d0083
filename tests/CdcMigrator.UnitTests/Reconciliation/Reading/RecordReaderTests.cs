using System.Text;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded.Publishing;
using CdcMigrator.MariaDb.Fencing;
using CdcMigrator.Reconciliation.Reading;

namespace CdcMigrator.UnitTests.Reconciliation.Reading;

public sealed class RecordReaderTests
{
    private static readonly ReadingSettings Settings = new() { TopicPrefix = "shop", Decimals = DecimalEncoding.Text };

    [Fact]
    public void Transaction_ids_are_taken_modulo_two_to_the_thirty_second() =>
        Assert.Equal(784UL, Reader().Read(Event("""{"schema":"public","table":"t","txId":12884902672}""")).Change.Mark.Transaction);

    [Fact]
    public void A_place_in_MariaDBs_binlog_is_measured_as_its_snapshots_are()
    {
        var reading = Reader(Settings with { IsMySqlFamily = true }).Read(Event("""{"db":"public","table":"t","file":"m-bin.000042","pos":294968,"row":2}"""));
        Assert.Equal(BinlogPosition.Of("m-bin.000042", 294968).Value, reading.Change.Mark.Transaction);
        Assert.False(reading.Change.Mark.IsRead);
    }

    [Theory]
    [InlineData("""{"schema":"public","table":"t"}""", false)]
    [InlineData("""{"schema":"public","table":"t","txId":null}""", false)]
    [InlineData("""{"db":"public","table":"t","file":"m-bin","pos":5}""", true)]
    [InlineData("""{"db":"public","table":"t","pos":5}""", true)]
    public void An_event_that_does_not_say_its_transaction_counts_as_a_read_row_and_is_doubted(string source, bool mySql)
    {
        var reading = Reader(Settings with { IsMySqlFamily = mySql }).Read(Event(source));
        Assert.Equal((RecordKind.Change, true, true), (reading.Kind, reading.Change.Mark.IsRead, reading.Doubt is not null));
        Assert.Equal("7", reading.Change.Key!.ToString());
    }

    [Theory]
    [InlineData("c", "null", false)]
    [InlineData("u", "\"false\"", false)]
    [InlineData("r", "\"incremental\"", true)]
    [InlineData("r", "null", true)]
    [InlineData("c", "\"last\"", true)]
    [InlineData("c", "true", true)]
    public void Snapshot_rows_are_reads(string operation, string snapshot, bool isRead) =>
        Assert.Equal(isRead, Reader().Read(Event($$"""{"snapshot":{{snapshot}},"schema":"public","table":"t","txId":1}""", operation)).Change.Mark.IsRead);

    [Fact]
    public void The_table_is_the_source_blocks_whatever_the_topic_is_called()
    {
        var record = Event("""{"schema":"public","table":"t","txId":1}""") with { Lane = new LaneId("routed.elsewhere", 3) };
        Assert.Equal((RecordKind.Change, 3), (Reader().Read(record).Kind, Reader().Read(record).Change.Mark.Partition));
        Assert.Equal(RecordKind.Nothing, Reader().Read(Event("""{"schema":"other","table":"t","txId":1}""")).Kind);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("""{"schema":null,"payload":null}""")]
    [InlineData("""{"schema":{"type":"struct"},"payload":null}""")]
    public void Tombstones_are_nothing(string? value)
    {
        Assert.Equal(default, Reader().Read(Event("{}") with { Value = Encoding.UTF8.GetBytes(value!) }));
        Assert.Equal(default, Reader().Read(Event("{}") with { Value = null }));
    }

    [Theory]
    [InlineData("shop.transaction", """{"status":"BEGIN","id":"5:1","event_count":null}""")]
    [InlineData("__debezium-heartbeat.shop", """{"ts_ms":5}""")]
    [InlineData("shop", """{"source":{"db":"d"},"ddl":"create table t()"}""")]
    [InlineData("shop.message", """{"op":"m","source":{"schema":"","table":"","txId":9},"message":{}}""")]
    public void Records_beside_tables_are_nothing(string topic, string value) =>
        Assert.Equal(default, Reader().Read(Event("{}") with { Lane = new LaneId(topic, 0), Value = Encoding.UTF8.GetBytes(value) }));

    [Theory]
    [InlineData("""{"id":7,"n":1}""")]
    [InlineData("[]")]
    [InlineData("{\"op\":\"c\",\"source\":{\"schema\":\"public\"")]
    [InlineData("""{"op":"c"}""")]
    public void A_value_in_a_tables_topic_that_is_no_event_is_a_doubted_change_of_its_key(string value)
    {
        var reading = Reader().Read(Event("{}") with { Value = Encoding.UTF8.GetBytes(value) });
        Assert.Equal((RecordKind.Change, "7", true), (reading.Kind, reading.Change.Key?.ToString(), reading.Change.Mark.IsRead));
        Assert.Contains("shop.public.t[0] offset 11", reading.Doubt!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"id":7}""", """{"schema":"s","payload":7}""")]
    [InlineData("""{"schema":{"type":"struct","fields":[{"type":"int32","field":"id"}]},"payload":{"id":7}}""", null)]
    public void A_column_called_schema_is_no_schema(string key, string? odd)
    {
        Assert.Equal("7", Reader().Read(Event("""{"schema":"public","table":"t","txId":1}""") with { Key = Encoding.UTF8.GetBytes(key) }).Change.Key!.ToString());
        if (odd is not null)
        {
            var table = Table("t", ("schema", "text"), ("payload", "integer"));
            Assert.Equal("s, 7", new RecordReader(Settings, [table], new WriterSchemas())
                .Read(Event("""{"schema":"public","table":"t","txId":1}""") with { Key = Encoding.UTF8.GetBytes(odd) }).Change.Key!.ToString());
        }
    }

    [Fact]
    public void A_key_is_in_its_tables_order_and_needs_all_columns()
    {
        var table = Table("t", ("a", "integer"), ("b", "text"));
        var reader = new RecordReader(Settings, [table], new WriterSchemas());
        var record = Event("""{"schema":"public","table":"t","txId":1}""");
        Assert.Equal(new RowKey("1", "x"), reader.Read(record with { Key = "{\"b\":\"x\",\"a\":1}"u8.ToArray() }).Change.Key);
        Assert.Equal(new RowKey("1", "x"), reader.Read(record with { Key = "{\"c\":{\"z\":[]},\"b\":\"x\",\"a\":1}"u8.ToArray() }).Change.Key);
        Assert.Null(reader.Read(record with { Key = "{\"a\":1}"u8.ToArray() }).Change.Key);
        Assert.Null(reader.Read(record with { Key = null }).Change.Key);
    }

    [Fact]
    public void The_embedded_logs_records_are_read()
    {
        using var writer = new RecordWriter("p", "shop", TimeProvider.System);
        var name = new TableName("public", "T\"able");
        var shape = new RowShape(new SourceTable(name, 1, "p.public.t", ["id", "n"], ["id"], false), ["id", "n"]);
        Cell[] cells = [new(CellKind.Text, 0, 1), Cell.Null];
        var table = Table(name.Name, ("id", "boolean"));
        var reader = new RecordReader(ReadingSettings.ForEmbeddedLog("p"), [table], new WriterSchemas());
        var streamed = reader.Read(Record(new ChangeOrigin(200, 150, 733, 5), 'u'));
        Assert.Equal(new ObservedChange(name, new RowKey("t"), new ChangeMark(0, 11, 733, false)), streamed.Change);
        var read = reader.Read(Record(new ChangeOrigin(0, 150, 0, 5), 'r'));
        Assert.Equal((true, null), (read.Change.Mark.IsRead, read.Doubt));

        LogRecord Record(ChangeOrigin origin, char operation) => Event("{}") with
        {
            Key = writer.Key(shape, "t"u8.ToArray(), cells),
            Value = writer.Value(shape, (byte)operation, "t"u8.ToArray(), default, cells, origin),
        };
    }

    private static RecordReader Reader(ReadingSettings? settings = null) => new(settings ?? Settings, [Table("t", ("id", (settings ?? Settings).IsMySqlFamily ? "int(11)" : "integer"))], new WriterSchemas());

    private static ComparedTable Table(string name, params (string Name, string Type)[] key) => new()
    {
        Source = new TableName("public", name),
        Target = new TableName("public", name),
        Columns = [.. key.Select(column => new ComparedColumn(column.Name, column.Name, CanonicalForm.Text) { SourceType = column.Type, SourceDeclaration = column.Type })],
        Key = [.. Enumerable.Range(0, key.Length)],
    };

    private static LogRecord Event(string source, string operation = "c") => new()
    {
        Lane = new LaneId("shop.public.t", 0),
        Offset = 11,
        Key = """{"id":7}"""u8.ToArray(),
        Value = Encoding.UTF8.GetBytes($$"""{"before":null,"after":{"id":7,"n":"\"}"},"source":{{source}},"transaction":null,"op":"{{operation}}","ts_ms":1}"""),
    };
}
