using System.Text;
using CdcMigrator.Debezium;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;
using CdcMigrator.TestKit.Events;
using CdcMigrator.UnitTests.Debezium.Corpora;

namespace CdcMigrator.UnitTests.Debezium;

/// <summary>Records of tables that are moved without a key.</summary>
public sealed class KeylessTests
{
    private const string Was = """{"n":1,"t":"old"}""";
    private readonly DebeziumEventBuilder events = new("public.log");
    private readonly TableRoute route = Keyless("public.log", TestRoutes.Bigint("n"), TestRoutes.Text("t"));

    [Fact]
    public void An_update_carries_the_row_as_it_is_and_as_it_was()
    {
        var row = Decode("u", Was, """{"n":2,"t":null}""");

        Assert.Equal(ChangeOperation.Update, row.Change.Operation);
        Assert.Equal(("2", DecodedRow.Null), (row["n"], row["t"]));
        Assert.Equal(["1", "old"], row.Batch.Before(row.Change).ToArray().Select(slot => Encoding.UTF8.GetString(row.Batch.Value(slot))));
    }

    [Fact]
    public void A_delete_carries_the_row_as_it_was()
    {
        var row = Decode("d", Was, "null");

        Assert.Equal((ChangeOperation.Delete, false), (row.Change.Operation, row.Change.HasBefore));
        Assert.Equal(("1", "old"), (row["n"], row["t"]));
    }

    [Theory]
    [InlineData("u")]
    [InlineData("d")]
    public void Without_the_old_row_the_change_is_refused(string operation)
    {
        var fault = Assert.Throws<FaultException>(() => Decode(operation, "null", operation == "d" ? "null" : Was)).Fault;

        Assert.Equal((FaultKind.Poison, "keyless-identity", 0L), (fault.Kind, fault.Code, fault.Offset));
        Assert.Contains("REPLICA IDENTITY FULL", fault.Fix, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("3.5.0.Final", false)]
    [InlineData("3.6.3.Final", false)]
    [InlineData("2.7.4.Final", false)]
    [InlineData("3.7.0.Alpha1", true)]
    [InlineData("3.10.0.Final", true)]
    [InlineData("4.0.0.Final", true)]
    [InlineData("nightly", true)]
    [InlineData("3", true)]
    [InlineData(null, true)]
    public void Whether_the_connector_may_begin_within_an_LSN_follows_from_its_version(string? version, bool may)
    {
        var versioned = new DebeziumEventBuilder("public.log") { Version = version };
        DecodedRow.Decode(events.Record(null, events.Envelope("c", "null", Was), []), DecodedRow.Faithful, route);
        Assert.Equal(may, DecodedRow.Decode(versioned.Record(null, versioned.Envelope("c", "null", Was), []), DecodedRow.Faithful, route).Change.RunMayBeginWithinLsn);
    }

    [Fact]
    public void The_connectors_run_is_told_apart_and_the_record_behind_a_delete_is_none()
    {
        ulong Run(params LogHeader[] headers) => DecodedRow.Decode(events.Record(null, events.Envelope("c", "null", Was), headers), DecodedRow.Faithful, route).Change.Run;
        var (first, second) = (new LogHeader("__debezium.context.runId", "0190a"u8.ToArray()), new LogHeader("__debezium.context.runId", "0190b"u8.ToArray()));

        Assert.Equal(0UL, Run());
        Assert.Equal(Run(first), Run(new LogHeader("x", null), first));
        Assert.NotEqual(Run(first), Run(second));
        Assert.Equal(DecodeKind.Tombstone, DecodedRow.Decode(events.Record(null, null, [first]), DecodedRow.Faithful, route).Result.Kind);
    }

    [Fact]
    public void A_row_that_cannot_be_decoded_leaves_no_half_of_it_behind()
    {
        var batch = new ChangeBatch();
        batch.Reset(new LaneId("shop.public.log", 0), 0);
        var decoder = DecodedRow.Decoder(DecodedRow.Faithful, route);
        Assert.Throws<FaultException>(() => decoder.Decode(events.Record(null, events.Envelope("u", """{"n":"x","t":"a"}""", Was), []), batch));
        decoder.Decode(events.Record(null, events.Envelope("c", "null", Was), []), batch);

        Assert.False(Assert.Single(batch.Changes).HasBefore);
        Assert.Equal("1", DecodedRow.Show(batch, batch.Changes[0], 0));
    }

    [Theory]
    [InlineData("faithful")]
    [InlineData("defaults")]
    [InlineData("iso")]
    [InlineData("avro")]
    public void What_Debezium_wrote_is_read_in_every_format(string name)
    {
        var corpus = Corpus.Of(name);
        var table = new RouteTable(
        [
            Keyless("public.keyless", TestRoutes.Text("t")),
            Keyless("public.pairs", TestRoutes.Bigint("a"), TestRoutes.Text("b"), TestRoutes.Bigint("n"), TestRoutes.Text("big")),
        ]);
        var decoder = new DebeziumDecoder(corpus.Settings, () => table, Corpus.Schemas());
        var rows = corpus.Records.Select(record => DecodedRow.Decode(record, decoder)).Where(row => row.Result.Kind == DecodeKind.Change).ToList();

        var inserted = rows.Single(row => row.Change.Route.Source.Name == "keyless");
        Assert.Equal((ChangeOperation.Insert, "k"), (inserted.Change.Operation, inserted["t"]));
        Assert.Equal("1", rows.Last(row => row.Change is { Operation: ChangeOperation.Delete, Route.Source.Name: "pairs" })["a"]);
    }

    private static TableRoute Keyless(string table, params TargetColumn[] columns)
    {
        var mapping = new TableMapping { Source = TableName.Parse(table), Target = TableName.Parse(table), Keyless = true };
        return new TableRoute(mapping, new TargetTable { Name = mapping.Target, Columns = columns, Keys = [] }, UniqueKey.None);
    }

    private DecodedRow Decode(string operation, string before, string after) =>
        DecodedRow.Decode(events.Record(null, events.Envelope(operation, before, after), []), DecodedRow.Faithful, route);
}
