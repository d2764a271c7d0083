using System.Text;
using CdcMigrator.Debezium;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;
using CdcMigrator.TestKit.Events;

namespace CdcMigrator.UnitTests.Debezium;

/// <summary>Which row a record is about, though its values may not be readable.</summary>
public sealed class ReadKeyTests
{
    private static readonly TableRoute Orders = TestRoutes.Of("public.orders", TestRoutes.Bigint("id"), TestRoutes.Text("v"));
    private readonly DebeziumEventBuilder events = new("public.orders");
    private readonly DebeziumDecoder decoder = new(
        new DebeziumSettings { TopicPrefix = "shop", HeartbeatTopic = "__debezium-heartbeat.shop", TransactionTopic = "shop.transaction" }, () => new RouteTable([Orders]), null);

    [Fact]
    public void Every_change_of_a_row_has_the_same_key()
    {
        var records = new[]
        {
            events.Insert(("id", 7), ("v", "a")), events.Update(("id", 7), ("v", "b")), events.SnapshotRow(("id", 7), ("v", "c")), events.Delete(("id", 7)),
            events.Insert(("id", 7), ("late", 1)),
        };
        Assert.All(records, record => Assert.Equal(new ChangeKey("public.orders", """{"id":"7"}"""), decoder.ReadKey(record).Key));
        Assert.Equal(SourcePosition.None, decoder.ReadKey(records[2]).Position);
        Assert.Equal(2000UL, decoder.ReadKey(records[0]).Position.Lsn);
    }

    [Theory]
    [InlineData("{broken")]
    [InlineData("\u0007\u0000")]
    [InlineData("""{"flat":"row"}""")]
    [InlineData("[]")]
    public void The_topic_names_the_table_where_the_value_is_no_envelope(string value) =>
        Assert.Equal(new ChangeKey("public.orders", """{"id":"7"}"""), decoder.ReadKey(events.Insert(("id", 7)) with { Value = Encoding.UTF8.GetBytes(value) }).Key);

    [Fact]
    public void What_is_no_change_of_a_row_has_no_key()
    {
        Assert.Equal(default, decoder.ReadKey(events.Tombstone(("id", 7))));
        Assert.Null(decoder.ReadKey(events.Heartbeat()).Key);
        Assert.Null(decoder.ReadKey(events.Transaction("BEGIN")).Key);
        Assert.Null(decoder.ReadKey(events.FenceRow("marker:1", "x")).Key);
        Assert.Null(decoder.ReadKey(new DebeziumEventBuilder("public.other").Insert(("id", 7))).Key);
        Assert.Equal((null, "public.orders"), (decoder.ReadKey(events.Truncate()).Key, decoder.ReadKey(events.Truncate()).Truncated));
    }

    [Theory]
    [InlineData(null, "keyless")]
    [InlineData("{broken", "undecodable")]
    [InlineData("""{"other":1}""", "key-mismatch")]
    public void A_key_that_cannot_be_read_is_a_fault(string? key, string code)
    {
        var record = events.Insert(("id", 7), ("v", "a")) with { Key = key is null ? null : Encoding.UTF8.GetBytes(key) };
        var fault = Assert.Throws<FaultException>(() => decoder.ReadKey(record)).Fault;
        Assert.Equal((FaultKind.Poison, code, record.Offset), (fault.Kind, fault.Code, fault.Offset));
    }

    [Fact]
    public void A_topic_two_tables_share_names_neither()
    {
        var first = TestRoutes.Of("public.a_b", TestRoutes.Bigint("id"));
        var second = TestRoutes.Of(new TableMapping { Source = new TableName("public", "a b"), Target = new TableName("public", "x") }, [0], TestRoutes.Bigint("id"));
        var shared = new DebeziumDecoder(new DebeziumSettings { TopicPrefix = "shop" }, () => new RouteTable([first, second]), null);
        var record = new LogRecord { Lane = new LaneId("shop.public.a_b", 0), Offset = 1, Key = Encoding.UTF8.GetBytes("""{"id":7}"""), Value = Encoding.UTF8.GetBytes("{") };
        Assert.Equal("undecodable", Assert.Throws<FaultException>(() => shared.ReadKey(record)).Fault.Code);
    }

    [Theory]
    [InlineData(FaultKind.Poison, "check", true)]
    [InlineData(FaultKind.Poison, "unknown-column", false)]
    [InlineData(FaultKind.Poison, "dead-letters-full", false)]
    [InlineData(FaultKind.Transient, "check", false)]
    [InlineData(FaultKind.LogBroken, "undecodable", false)]
    public void Only_faults_of_one_row_are_parked(FaultKind kind, string code, bool may) =>
        Assert.Equal(may, ParkedRecord.MayPark(new Fault(kind, code, "") { Offset = 1 }));
}
