using System.Text;
using System.Text.Json;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Reconciliation.Reading;
using CdcMigrator.UnitTests.Debezium.Corpora;

namespace CdcMigrator.UnitTests.Reconciliation.Reading;

/// <summary>What the reconciler makes of every record of a real Debezium.</summary>
public sealed class RecordedChangeTests
{
    public static TheoryData<string> Corpora => [.. Corpus.Names];

    [Theory]
    [MemberData(nameof(Corpora))]
    public void Every_change_of_a_compared_table_is_met_where_it_stands_and_nothing_else_is(string name)
    {
        var log = RecordedLog.Of(name);
        var reader = log.Reader();
        foreach (var record in log.Records)
        {
            var reading = reader.Read(record);
            var topic = record.Lane.Topic[(record.Lane.Topic.IndexOf('.', StringComparison.Ordinal) + 1)..];
            var table = log.Tables.Select(compared => compared.Source).FirstOrDefault(source => topic == $"{source.Schema}.{source.Name.Replace(' ', '_')}");
            Assert.Null(reading.Doubt);
            if (table == default || record.Value is null)
            {
                Assert.Equal(topic == "cdc_migrator.fence" && record.Value is not null && record.Offset < 2 ? RecordKind.Marker : RecordKind.Nothing, reading.Kind);
                continue;
            }

            Assert.Equal((RecordKind.Change, table), (reading.Kind, reading.Change.Table));
            Assert.Equal((record.Lane.Partition, record.Offset), (reading.Change.Mark.Partition, reading.Change.Mark.Offset));
        }
    }

    [Theory]
    [InlineData("faithful")]
    [InlineData("defaults")]
    [InlineData("iso")]
    public void Transactions_and_reads_are_those_of_the_source_block(string name)
    {
        var log = RecordedLog.Of(name);
        var reader = log.Reader();
        var (reads, changes) = (0, 0);
        foreach (var record in log.Records.Where(record => record.Value is not null))
        {
            var reading = reader.Read(record);
            if (reading.Kind != RecordKind.Change)
            {
                continue;
            }

            using var document = JsonDocument.Parse(record.Value!);
            var envelope = document.RootElement.TryGetProperty("payload", out var payload) ? payload : document.RootElement;
            var isRead = envelope.GetProperty("op").GetString() == "r";
            Assert.Equal(isRead, reading.Change.Mark.IsRead);
            (reads, changes) = (reads + (isRead ? 1 : 0), changes + (isRead ? 0 : 1));
            if (!isRead)
            {
                Assert.Equal(envelope.GetProperty("source").GetProperty("txId").GetUInt64() % (1UL << 32), reading.Change.Mark.Transaction);
            }
        }

        Assert.True(reads > 15 && changes > 25, $"{reads} reads, {changes} changes");
    }

    [Fact]
    public void Avro_says_the_same_as_JSON()
    {
        // The connectors read the same source at the same time; incremental copies and the signals differ.
        Assert.Equal(Streamed("faithful"), Streamed("avro"));
        Assert.Equal(Streamed("faithful"), Streamed("defaults"));

        static List<string> Streamed(string name)
        {
            var log = RecordedLog.Of(name);
            var reader = log.Reader();
            return [.. log.Records.Select(reader.Read).Where(reading => reading.Kind == RecordKind.Change && !reading.Change.Mark.IsRead)
                .Select(reading => $"{reading.Change.Table} {reading.Change.Key} {reading.Change.Mark.Transaction}")];
        }
    }

    [Theory]
    [MemberData(nameof(Corpora))]
    public void A_truncate_and_a_row_without_a_key_concern_all_rows(string name)
    {
        var log = RecordedLog.Of(name);
        var reader = log.Reader();
        var whole = log.Records.Select(reader.Read).Where(reading => reading.Kind == RecordKind.Change && reading.Change.Key is null).Select(reading => reading.Change.Table.Name);
        Assert.Equal(["keyless", "truncated"], whole.Order());
    }

    [Theory]
    [MemberData(nameof(Corpora))]
    public void Markers_are_met_by_their_id(string name)
    {
        var log = RecordedLog.Of(name);
        var reader = log.Reader();
        var markers = log.Records.Select(reader.Read).Where(reading => reading.Kind == RecordKind.Marker).ToList();

        // Inserted, updated; its deletion is no marker.
        Assert.Equal(["marker:1", "marker:1"], markers.Select(marker => marker.Marker));
        Assert.Equal([0L, 1L], markers.Select(marker => marker.Change.Mark.Offset));
    }

    [Fact]
    public void A_schema_is_asked_for_and_the_same_record_read_with_it()
    {
        var log = RecordedLog.Of("avro");
        var schemas = new WriterSchemas();
        var reader = new RecordReader(log.Settings, log.Tables, schemas);
        var texts = RecordedLog.SchemaTexts();
        var known = log.Reader();
        var asked = new List<int>();
        foreach (var record in log.Records)
        {
            var reading = reader.Read(record);
            while (reading.Kind == RecordKind.NeedsSchema)
            {
                asked.Add(reading.SchemaId);
                schemas.Add(reading.SchemaId, texts[reading.SchemaId]);
                reading = reader.Read(record);
            }

            Assert.Equal(known.Read(record), reading);
        }

        Assert.Equal(asked.Distinct(), asked);
        Assert.Contains(9, asked);
        Assert.Contains(10, asked);
    }

    [Theory]
    [MemberData(nameof(Corpora))]
    public void Cut_and_damaged_records_are_doubted_and_name_their_table(string name)
    {
        var log = RecordedLog.Of(name);
        var reader = log.Reader();
        var good = log.Records.First(record => record.Lane.Topic.EndsWith(".orders", StringComparison.Ordinal) && record.Value is not null);
        var orders = new TableName("public", "orders");
        for (var length = 5; length < good.Value!.Length - 40; length += 7)
        {
            var reading = reader.Read(good with { Value = good.Value[..length] });

            // By the topic, whose key is whole.
            Assert.Equal((RecordKind.Change, orders, true), (reading.Kind, reading.Change.Table, reading.Change.Mark.IsRead));
            Assert.Equal("1", Assert.Single(reading.Change.Key!.Values));
            Assert.NotNull(reading.Doubt);
            Assert.DoesNotContain("c1", reading.Doubt, StringComparison.Ordinal);
        }

        Assert.Equal(RecordKind.Unreadable, reader.Read(good with { Value = Encoding.UTF8.GetBytes("nonsense"), Lane = new LaneId("elsewhere", 0) }).Kind);
        var keyless = reader.Read(good with { Key = Encoding.UTF8.GetBytes("nonsense") });
        Assert.Equal((RecordKind.Change, true, true), (keyless.Kind, keyless.Change.Key is null, keyless.Doubt is not null));
    }
}
