using CdcMigrator.Debezium;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;
using CdcMigrator.TestKit.Events;
using static CdcMigrator.UnitTests.Debezium.DecodedRow;

namespace CdcMigrator.UnitTests.Debezium;

public sealed class RecordKindTests
{
    private readonly DebeziumEventBuilder orders = new("public.orders");
    private readonly TableRoute route = TestRoutes.Of("public.orders", TestRoutes.Bigint("id"), TestRoutes.Text("note"));

    [Fact]
    public void An_insert_becomes_a_change_with_its_values_and_position()
    {
        var row = Decode(orders.Insert(("id", 9007199254740993), ("note", "a\"b\\ü\u2028😀")), Faithful, route);

        Assert.Equal(DecodeKind.Change, row.Result.Kind);
        Assert.Equal(ChangeOperation.Insert, row.Change.Operation);
        Assert.Equal("9007199254740993", row["id"]);
        Assert.Equal("a\"b\\ü\u2028😀", row["note"]);
        Assert.Equal(new SourcePosition(1000, 2000, 700), row.Change.Position);
        Assert.Equal(1_700_000_000_000, row.Change.SourceTimestampMs);
    }

    [Theory]
    [InlineData("u", ChangeOperation.Update)]
    [InlineData("r", ChangeOperation.SnapshotRow)]
    [InlineData("c", ChangeOperation.Insert)]
    public void Row_operations_are_told_apart(string operation, ChangeOperation expected) =>
        Assert.Equal(expected, Decode(orders.Row(operation, [("id", 1), ("note", null)], []), Faithful, route).Change.Operation);

    [Fact]
    public void A_delete_carries_the_key_of_the_record_key_and_nothing_else()
    {
        var record = orders.Record("{\"id\":7}", orders.Envelope("d", "{\"id\":0,\"note\":\"default\"}", "null"), []);
        var row = Decode(record, Faithful, route);

        Assert.Equal(ChangeOperation.Delete, row.Change.Operation);
        Assert.Equal("7", row["id"]);
        Assert.Equal(Absent, row["note"]);
    }

    [Fact]
    public void Halves_of_a_key_change_are_marked()
    {
        var halves = orders.KeyChange([("id", 1)], [("id", 2), ("note", DebeziumEventBuilder.Unavailable)]);

        var delete = Decode(halves[0], Faithful, route);
        var create = Decode(halves[2], Faithful, route);

        Assert.Equal(KeyChangeHalf.OldKey, delete.Change.KeyChange);
        Assert.Equal("1", delete["id"]);
        Assert.Equal(DecodeKind.Tombstone, Decode(halves[1], Faithful, route).Result.Kind);
        Assert.Equal(KeyChangeHalf.NewKey, create.Change.KeyChange);
        Assert.Equal(Unavailable, create["note"]);
        Assert.Equal(delete.Change.Position, create.Change.Position);
    }

    [Fact]
    public void A_truncate_needs_no_key()
    {
        var row = Decode(orders.Truncate(), Faithful, route);

        Assert.Equal(ChangeOperation.Truncate, row.Change.Operation);
        Assert.Equal(Absent, row["id"]);
    }

    [Fact]
    public void What_is_no_row_change_is_recognised()
    {
        var signal = new DebeziumEventBuilder("public.debezium_signal");
        Assert.Equal(DecodeKind.Tombstone, Decode(orders.Tombstone(("id", 1)), Faithful, route).Result.Kind);
        Assert.Equal(DecodeKind.Tombstone, Decode(orders.Record(null, null, []), Faithful, route).Result.Kind);
        Assert.Equal(DecodeKind.Heartbeat, Decode(orders.Heartbeat(), Faithful, route).Result.Kind);
        Assert.Equal(1_700_000_000_000, Decode(orders.Heartbeat(), Faithful, route).Result.SourceTimestampMs);
        Assert.Equal(DecodeKind.Transaction, Decode(orders.Transaction("BEGIN"), Faithful, route).Result.Kind);
        Assert.Equal(DecodeKind.Message, Decode(orders.Message("cdcm", "{}"), Faithful, route).Result.Kind);
        Assert.Equal(DecodeKind.Signal, Decode(signal.Insert(("id", "x"), ("type", "snapshot-window-open"), ("data", null)), Faithful, route).Result.Kind);
        Assert.Equal(DecodeKind.SchemaChange, Decode(orders.Record("{}", "{\"ddl\":\"CREATE\"}", [], "shop"), Faithful, route).Result.Kind);
        Assert.Equal(DecodeKind.Ignored, Decode(new DebeziumEventBuilder("public.other").Insert(("id", 1)), Faithful, route).Result.Kind);
    }

    [Fact]
    public void A_fence_row_is_returned_with_its_position_and_adds_no_change()
    {
        var row = Decode(orders.FenceRow("marker:1", "{\"a\":\"ü\"}"), Faithful, route);

        Assert.Equal(DecodeKind.Fence, row.Result.Kind);
        Assert.Equal(new FenceRow("marker:1", "{\"a\":\"ü\"}", new SourcePosition(1000, 2000, 700)), row.Result.Fence);
        Assert.Empty(row.Batch.Changes);
    }

    [Fact]
    public void A_deleted_fence_row_has_no_value()
    {
        var fence = new DebeziumEventBuilder("cdc_migrator.fence");
        Assert.Equal(("7", null), Decode(fence.Delete(("id", 7)), Faithful, route).Result.Fence is { } row ? (row.Id, row.Value) : default);
    }

    [Fact]
    public void Rows_of_an_incremental_snapshot_have_no_position() =>
        Assert.Equal(SourcePosition.None, Decode(orders.IncrementalRow(("id", 1), ("note", "x")), Faithful, route).Change.Position);

    [Fact]
    public void An_unknown_commit_position_sorts_lowest_and_does_not_compare()
    {
        orders.CommitLsn = null;
        Assert.Equal(new SourcePosition(0, 2000, 700), Decode(orders.Insert(("id", 1), ("note", "x")), Faithful, route).Change.Position);
    }

    [Fact]
    public void A_transaction_id_with_epoch_is_cut_to_32_bits()
    {
        orders.TransactionId = 12884902656;
        Assert.Equal(768u, Decode(orders.Insert(("id", 1), ("note", "x")), Faithful, route).Change.Position.TransactionId);
    }

    [Fact]
    public void Source_may_come_before_after()
    {
        var record = orders.Record(
            "{\"id\":1}", "{\"op\":\"c\",\"source\":{\"table\":\"orders\",\"schema\":\"public\",\"snapshot\":\"false\",\"lsn\":5},\"after\":{\"note\":\"x\",\"id\":1}}", []);
        var row = Decode(record, Faithful, route);

        Assert.Equal("x", row["note"]);
        Assert.Equal(new SourcePosition(0, 5, 0), row.Change.Position);
    }

    [Fact]
    public void A_column_the_target_lacks_is_poison_that_names_it()
    {
        var fault = Fails(orders.Insert(("id", 1), ("loyalty", 3)));

        Assert.Equal("unknown-column", fault.Code);
        Assert.Contains("loyalty", fault.Message, StringComparison.Ordinal);
        Assert.Equal("public.orders", fault.Table);
        Assert.Equal("{\"id\":1}", fault.Key);
        Assert.Equal(0, fault.Offset);
    }

    [Fact]
    public void Excluded_and_generated_columns_are_left_out_and_renamed_ones_found()
    {
        var mapping = new TableMapping
        {
            Source = new("public", "orders"),
            Target = new("crm", "orders"),
            Exclude = new HashSet<string> { "legacy" },
            Rename = new Dictionary<string, string> { ["mail"] = "email" },
        };
        var renamed = TestRoutes.Of(mapping, [0], TestRoutes.Bigint("id"), TestRoutes.Text("email"), TestRoutes.Text("total") with { Generated = true });

        var row = Decode(orders.Insert(("id", 1), ("mail", "a@b"), ("legacy", new[] { 1 }), ("total", "9")), Faithful, renamed);

        Assert.Equal("a@b", row["mail"]);
        Assert.Equal(Absent, row["total"]);
    }

    [Theory]
    [InlineData("{\"no\":1}")]
    [InlineData("{\"id\":1,\"note\":\"x\"}")]
    [InlineData("{}")]
    public void Another_key_than_the_targets_is_poison(string key) =>
        Assert.Equal("key-mismatch", Fails(orders.Record(key, orders.Envelope("c", "null", "{\"id\":1,\"note\":\"x\"}"), [])).Code);

    [Fact]
    public void A_row_change_without_key_is_poison() =>
        Assert.Equal("keyless", Fails(orders.Record(null, orders.Envelope("c", "null", "{\"id\":1}"), [])).Code);

    [Fact]
    public void A_row_without_its_key_column_is_poison() =>
        Assert.Equal("key-unavailable", Fails(orders.Record("{\"id\":1}", orders.Envelope("u", "null", "{\"note\":\"x\"}"), [])).Code);

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"id\":1}")]
    [InlineData("{\"op\":\"c\",\"source\":{\"schema\":\"public\",\"table\":\"orders\"},\"after\":null}")]
    [InlineData("{\"op\":\"x\",\"source\":{\"schema\":\"public\",\"table\":\"orders\"},\"after\":{}}")]
    [InlineData("{\"op\":\"c\",\"source\":{\"schema\":\"public\",\"table\":\"orders\"},\"after\":{\"id\":\"x\"}}")]
    [InlineData("{\"op\":\"c\",\"source\":{\"schema\":\"public\",\"table\":\"orders\",\"sequence\":\"x\"},\"after\":{\"id\":1}}")]
    [InlineData("{\"op\":\"c\",\"source\":{\"schema\":\"public\",\"table\":\"orders\"},\"after\":{\"id\":1,\"note\":\"\\ud800\"}}")]
    public void Malformed_records_are_poison(string value)
    {
        var fault = Fails(orders.Record("{\"id\":1}", value, []));

        Assert.Equal("undecodable", fault.Code);
        Assert.Equal(FaultKind.Poison, fault.Kind);
        Assert.Equal(new LaneId("shop.public.orders", 0), fault.Lane);
    }

    [Fact]
    public void A_NUL_character_is_poison_of_its_own() =>
        Assert.Equal("nul-character", Fails(orders.Insert(("id", 1), ("note", "a\0b"))).Code);

    [Fact]
    public void A_failed_record_leaves_the_batch_as_it_was()
    {
        var decoder = Decoder(Faithful, route);
        var batch = new ChangeBatch();
        batch.Reset(new LaneId("shop.public.orders", 0), 0);
        decoder.Decode(orders.Insert(("id", 1), ("note", "x")), batch);
        var bytes = batch.Bytes;

        Assert.Throws<FaultException>(() => decoder.Decode(orders.Insert(("id", 2), ("note", "y"), ("new", 1)), batch));
        decoder.Decode(orders.Insert(("id", 3), ("note", "z")), batch);

        Assert.Equal(bytes * 2, batch.Bytes);
        Assert.Equal(["1x", "3z"], batch.Changes.Select(change => Show(batch, change, 0) + Show(batch, change, 1)));
    }

    [Fact]
    public void Swapped_routes_take_effect_at_the_next_record()
    {
        var table = new RouteTable([route]);
        var decoder = new DebeziumDecoder(Faithful, () => table, null);
        var record = orders.Insert(("id", 1), ("note", "x"), ("added", "y"));
        Assert.Throws<FaultException>(() => Decode(record, decoder));

        table = new RouteTable([TestRoutes.Of("public.orders", TestRoutes.Bigint("id"), TestRoutes.Text("note"), TestRoutes.Text("added"))]);

        Assert.Equal("y", Decode(record, decoder)["added"]);
    }

    [Fact]
    public void The_embedded_logs_values_are_taken_as_they_are()
    {
        var settings = DebeziumSettings.ForEmbeddedLog("shop");
        var plain = TestRoutes.Of(
            "public.orders",
            TestRoutes.Bigint("id"),
            TestRoutes.Column("a", ColumnKind.TimeTz, "time with time zone"),
            TestRoutes.Array("b", ColumnKind.Money, "money"),
            TestRoutes.Text("c"),
            TestRoutes.Text("d"));

        var row = Decode(
            orders.Insert(("id", "1"), ("a", "12:00:00+05:30"), ("b", "{$1.00}"), ("c", DebeziumEventBuilder.PlainUnavailable), ("d", DebeziumEventBuilder.Unavailable)),
            settings,
            plain);

        Assert.Equal(["1", "12:00:00+05:30", "{$1.00}", Unavailable, DebeziumEventBuilder.Unavailable], [row["id"], row["a"], row["b"], row["c"], row["d"]]);
    }

    private Fault Fails(LogRecord record) => Assert.Throws<FaultException>(() => Decode(record, Faithful, route)).Fault;
}
