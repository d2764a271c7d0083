using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;
using CdcMigrator.TestKit.Events;
using static CdcMigrator.UnitTests.Debezium.DecodedRow;

namespace CdcMigrator.UnitTests.Debezium;

/// <summary>Columns that come, go and change their names in the middle of a batch.</summary>
public sealed class SchemaDriftTests
{
    private readonly DebeziumEventBuilder orders = new("public.orders");

    [Fact]
    public void A_batch_keeps_the_rows_in_front_of_a_column_the_target_lacks()
    {
        var decoder = Decoder(Faithful, TestRoutes.Of("public.orders", TestRoutes.Bigint("id"), TestRoutes.Text("note")));
        var batch = new ChangeBatch();
        batch.Reset(new LaneId("shop.public.orders", 0), 0);
        decoder.Decode(orders.Insert(("id", 1), ("note", "one")), batch);

        var fault = Assert.Throws<FaultException>(() => decoder.Decode(orders.Insert(("id", 2), ("note", "two"), ("late", 7), ("later", 8)), batch)).Fault;

        Assert.Equal(("unknown-column", 1L), (fault.Code, fault.Offset));
        Assert.Contains("columns late, later of public.orders do not exist", fault.Message, StringComparison.Ordinal);
        Assert.Single(batch.Changes);
    }

    [Fact]
    public void A_column_added_and_dropped_again_within_a_batch_is_written_while_it_is_there()
    {
        var decoder = Decoder(Faithful, TestRoutes.Of("public.orders", TestRoutes.Bigint("id"), TestRoutes.Text("note"), TestRoutes.Text("late")));
        var rows = new[]
        {
            Decode(orders.Insert(("id", 1), ("note", "a")), decoder), Decode(orders.Update(("id", 1), ("note", "b"), ("late", "x")), decoder),
            Decode(orders.Update(("id", 1), ("note", "c")), decoder), Decode(orders.Update(("id", 1), ("late", "y"), ("note", "d")), decoder),
        };

        Assert.Equal([Absent, "x", Absent, "y"], rows.Select(row => row["late"]));
        Assert.Equal(["a", "b", "c", "d"], rows.Select(row => row["note"]));
    }

    [Fact]
    public void A_rename_names_both_columns_and_the_statement()
    {
        var fault = Fails(orders.Insert(("id", 1), ("mail", "a@b")), TestRoutes.Bigint("id"), TestRoutes.Text("email"));

        Assert.Contains("column mail of public.orders does not exist", fault.Message, StringComparison.Ordinal);
        Assert.Contains("no value for email", fault.Message, StringComparison.Ordinal);
        Assert.Contains("""ALTER TABLE "public"."orders" RENAME COLUMN "email" TO "mail".""", fault.Fix, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("c")]
    [InlineData("r")]
    public void A_new_row_without_a_column_the_target_requires_halts(string operation)
    {
        var fault = Fails(orders.Row(operation, [("id", 1)], []), TestRoutes.Bigint("id"), TestRoutes.Text("note") with { NotNull = true });

        Assert.Equal("column-not-in-event", fault.Code);
        Assert.Contains("""ALTER TABLE "public"."orders" ALTER COLUMN "note" DROP NOT NULL""", fault.Fix, StringComparison.Ordinal);
    }

    [Fact]
    public void A_column_the_event_lacks_is_left_alone_where_the_target_can_do_without()
    {
        var required = TestRoutes.Text("note") with { NotNull = true };
        Assert.Equal(Absent, Decode(orders.Update(("id", 1)), Faithful, TestRoutes.Of("public.orders", TestRoutes.Bigint("id"), required))["note"]);
        Assert.Equal(Absent, Decode(orders.Insert(("id", 1)), Faithful, TestRoutes.Of("public.orders", TestRoutes.Bigint("id"), required with { HasDefault = true }))["note"]);
        Assert.Equal(Absent, Decode(orders.Insert(("id", 1)), Faithful, TestRoutes.Of("public.orders", TestRoutes.Bigint("id"), TestRoutes.Text("note")))["note"]);
    }

    private Fault Fails(LogRecord record, params TargetColumn[] columns) =>
        Assert.Throws<FaultException>(() => Decode(record, Faithful, TestRoutes.Of("public.orders", columns))).Fault;
}
