using CdcMigrator.Debezium;
using CdcMigrator.Domain.Tables;
using CdcMigrator.TestKit.Events;
using static CdcMigrator.UnitTests.Debezium.DecodedRow;

namespace CdcMigrator.UnitTests.Debezium;

/// <summary>What the source's catalog and values say of a column decides how events are read (invariant A5).</summary>
public sealed class OriginColumnTests
{
    private static readonly TargetColumn Id = TestRoutes.Bigint("id");
    private static readonly TargetColumn Note = TestRoutes.Text("note");
    private readonly DebeziumEventBuilder orders = new("public.orders");

    [Fact]
    public void Values_are_read_as_the_sources_type_whatever_the_targets_is()
    {
        var source = Source(("note", TestRoutes.Column("note", ColumnKind.TimeTz, "timetz").Type), ("day", TestRoutes.Column("day", ColumnKind.Date, "date").Type));
        var route = TestRoutes.Of("public.orders", Id, Note, TestRoutes.Text("day")).WithSource(source);
        var row = Decode(orders.Insert(("id", 1), ("note", "07:04:56Z"), ("day", 19_782)), Faithful, route);

        Assert.Equal((Reselect, "2024-02-29"), (row["note"], row["day"]));
    }

    [Theory]
    [InlineData("c")]
    [InlineData("u")]
    [InlineData("r")]
    public void A_column_of_the_source_without_a_field_in_the_event_is_read_again(string operation)
    {
        var route = TestRoutes.Of("public.orders", Id, Note with { NotNull = true }, TestRoutes.Text("gone")).WithSource(Source(("note", Note.Type)));
        var row = Decode(orders.Row(operation, [("id", 1)], []), Faithful, route);

        Assert.Equal((Reselect, Absent), (row["note"], row["gone"]));
    }

    [Fact]
    public void A_delete_asks_for_nothing()
    {
        var route = TestRoutes.Of("public.orders", Id, Note).WithSource(Source(("note", Note.Type)));
        Assert.Equal(Absent, Decode(orders.Delete(("id", 1)), Faithful, route)["note"]);
    }

    [Theory]
    [InlineData(ReadAgain.Never, "x", "x")]
    [InlineData(ReadAgain.Snapshot, Reselect, "x")]
    [InlineData(ReadAgain.Always, Reselect, Reselect)]
    public void What_a_column_holds_decides_whose_values_are_read_again(ReadAgain readAgain, string snapshot, string streamed)
    {
        var route = TestRoutes.Of("public.orders", Id, Note).WithSource(new Dictionary<string, OriginColumn> { ["note"] = new(Note.Type) { ReadAgain = readAgain }, ["id"] = new(Id.Type) { ReadAgain = readAgain } });

        Assert.Equal(("1", snapshot), Pair(Decode(orders.SnapshotRow(("id", 1), ("note", "x")), Faithful, route)));
        Assert.Equal(("1", snapshot), Pair(Decode(orders.IncrementalRow(("id", 1), ("note", "x")), Faithful, route)));
        Assert.Equal(("1", streamed), Pair(Decode(orders.Update(("id", 1), ("note", "x")), Faithful, route)));
    }

    [Fact]
    public void A_column_the_migration_file_reselects_is_never_taken_from_an_event_there_or_not()
    {
        var mapping = new TableMapping { Source = new("public", "orders"), Target = new("public", "orders"), Reselect = new HashSet<string> { "note", "id" } };
        var route = TestRoutes.Of(mapping, [0], Id, Note);

        Assert.Equal(("1", Reselect), Pair(Decode(orders.Update(("id", 1), ("note", "x")), Faithful, route)));
        Assert.Equal(("1", Reselect), Pair(Decode(orders.Update(("id", 1)), Faithful, route)));
    }

    [Theory]
    [InlineData(true, true, true, Reselect)]
    [InlineData(true, true, false, "x")]
    [InlineData(true, false, true, "x")]
    [InlineData(null, true, true, Reselect)]
    [InlineData(false, true, true, "x")]
    public void A_value_that_may_be_a_default_in_place_of_NULL_is_read_again(bool? nullsBecomeDefaults, bool hasDefault, bool nullable, string expected)
    {
        var note = Note with { HasDefault = hasDefault, NotNull = !nullable };
        Assert.Equal(expected, Decode(orders.Insert(("id", 1), ("note", "x")), Faithful with { NullsBecomeDefaults = nullsBecomeDefaults }, TestRoutes.Of("public.orders", Id, note))["note"]);

        // The source's default counts, not the target's.
        var source = new Dictionary<string, OriginColumn> { ["note"] = new(Note.Type) { NullHasDefault = hasDefault && nullable } };
        Assert.Equal(expected, Decode(orders.Insert(("id", 1), ("note", "x")), Faithful with { NullsBecomeDefaults = nullsBecomeDefaults }, TestRoutes.Of("public.orders", Id, Note).WithSource(source))["note"]);
    }

    [Theory]
    [InlineData(DecimalHandlingMode.Text, Null)]
    [InlineData(DecimalHandlingMode.Precise, Reselect)]
    public void NULL_of_a_numeric_is_believed_only_where_NaN_would_not_become_it(DecimalHandlingMode mode, string expected)
    {
        var route = TestRoutes.Of("public.orders", Id, TestRoutes.Column("note", ColumnKind.Numeric, "numeric"));
        Assert.Equal(expected, Decode(orders.Insert(("id", 1), ("note", null)), Faithful with { Decimals = mode }, route)["note"]);
    }

    [Theory]
    [InlineData(true, "P0Y0M0DT0H0M0S", Reselect)]
    [InlineData(true, "P0Y0M0DT0H0M0.5S", "00:00:00.5")]
    [InlineData(true, "P0Y0M1DT0H0M0S", "1 day")]
    [InlineData(true, null, Null)]
    [InlineData(false, "P0Y0M0DT0H0M0S", "00:00:00")]
    public void A_zero_interval_that_may_be_an_infinite_one_is_read_again(bool mayBeInfinite, string? value, string expected)
    {
        var interval = TestRoutes.Column("note", ColumnKind.Interval, "interval");
        var source = new Dictionary<string, OriginColumn> { ["note"] = new(interval.Type) { ZeroMayBeInfinite = mayBeInfinite } };
        var route = TestRoutes.Of("public.orders", Id, interval).WithSource(source);

        Assert.Equal(expected, Decode(orders.Insert(("id", 1), ("note", value)), Faithful, route)["note"]);
        Assert.Equal(expected, Decode(orders.SnapshotRow(("id", 1), ("note", value)), Faithful, route)["note"]);
    }

    private static (string Id, string Note) Pair(DecodedRow row) => (row["id"], row["note"]);

    private static Dictionary<string, OriginColumn> Source(params (string Name, ColumnType Type)[] columns) =>
        columns.Prepend(("id", Id.Type)).ToDictionary(column => column.Item1, column => new OriginColumn(column.Item2));
}
