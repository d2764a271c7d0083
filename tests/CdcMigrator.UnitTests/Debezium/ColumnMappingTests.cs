using CdcMigrator.Debezium;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.TestKit.Events;
using static CdcMigrator.UnitTests.Debezium.DecodedRow;

namespace CdcMigrator.UnitTests.Debezium;

/// <summary>Values of MariaDB that PostgreSQL does not have: refused by name with the setting that lets them pass, or noticed and read again.</summary>
public sealed class ColumnMappingTests
{
    private static readonly DebeziumSettings MariaDb = DebeziumSettings.FromConnector(new Dictionary<string, string>
    {
        ["topic.prefix"] = "shop",
        ["connector.class"] = "io.debezium.connector.mariadb.MariaDbConnector",
        ["time.precision.mode"] = "microseconds",
    });

    private static readonly TargetColumn Id = TestRoutes.Bigint("id");
    private static readonly TargetColumn Due = TestRoutes.Column("due", ColumnKind.Date, "date") with { NotNull = true };
    private readonly DebeziumEventBuilder orders = new("public.orders");

    [Theory]
    [InlineData("c")]
    [InlineData("u")]
    [InlineData("r")]
    public void Without_schemas_a_date_whose_default_may_stand_for_a_zero_date_is_read_from_the_source(string operation)
    {
        var route = Route([0], "2000-01-01", Id, Due);

        Assert.Equal(Reselect, Decode(orders.Row(operation, [("id", 1), ("due", 19_782)], []), MariaDb, route)["due"]);
    }

    [Fact]
    public void A_date_without_a_default_of_its_own_is_taken_from_the_event_but_for_the_epoch()
    {
        var route = Route([0], null, Id, Due);

        Assert.Equal("2024-02-29", Decode(orders.Insert(("id", 1), ("due", 19_782)), MariaDb, route)["due"]);
        Assert.Equal(Reselect, Decode(orders.Insert(("id", 1), ("due", 0)), MariaDb, route)["due"]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10_957)]
    public void A_key_that_may_be_a_zero_date_stops_its_lane(int day)
    {
        var route = Route([0, 1], "2000-01-01", Id, Due);

        Assert.Equal("2024-02-29", Decode(new DebeziumEventBuilder("public.orders", "id", "due").Insert(("id", 1), ("due", 19_782)), MariaDb, route)["due"]);
        var fault = Assert.Throws<FaultException>(() => Decode(new DebeziumEventBuilder("public.orders", "id", "due").Insert(("id", 1), ("due", day)), MariaDb, route)).Fault;
        Assert.Equal(("key-unavailable", FaultKind.Poison), (fault.Code, fault.Kind));
    }

    [Fact]
    public void A_number_that_is_no_boolean_is_refused_with_the_setting_that_lets_it_pass()
    {
        var fault = Refused(TestRoutes.Column("flag", ColumnKind.Boolean, "boolean"), 5);

        Assert.Equal("not-boolean", fault.Code);
        Assert.Contains("columns: { flag: { nonBoolean: true } }", fault.Fix, StringComparison.Ordinal);
        Assert.Equal(("public.orders", "{\"id\":1}"), (fault.Table, fault.Key));
        Assert.True(ParkedRecord.MayPark(fault));
    }

    [Fact]
    public void A_text_with_a_NUL_character_is_refused_with_the_setting_that_lets_it_pass()
    {
        var fault = Refused(TestRoutes.Text("note"), "a\0b");

        Assert.Equal("nul-character", fault.Code);
        Assert.Contains("columns: { note: { nulCharacter: strip } }", fault.Fix, StringComparison.Ordinal);
        Assert.True(ParkedRecord.MayPark(fault));
    }

    [Fact]
    public void A_column_that_cannot_take_the_sources_type_stops_its_lane()
    {
        var route = TestRoutes.Of("public.orders", Id, TestRoutes.Bigint("note")).WithSource(new Dictionary<string, OriginColumn> { ["note"] = new(Type: null) { Unfit = "it is text in the source" } });
        var fault = Assert.Throws<FaultException>(() => Decode(orders.Insert(("id", 1), ("note", 7)), MariaDb, route)).Fault;

        Assert.Equal("type-unfit", fault.Code);
        Assert.False(ParkedRecord.MayPark(fault));
    }

    private Fault Refused(TargetColumn column, object value) =>
        Assert.Throws<FaultException>(() => Decode(orders.Insert(("id", 1), (column.Name, value)), MariaDb, TestRoutes.Of("public.orders", Id, column))).Fault;

    private static TableRoute Route(int[] key, string? zeroDateDefault, params TargetColumn[] columns) =>
        TestRoutes.Of(new TableMapping { Source = new("public", "orders"), Target = new("public", "orders") }, key, columns)
            .WithSource(columns.ToDictionary(column => column.Name, column => new OriginColumn(Type: null) { ZeroDateDefault = column == Due ? zeroDateDefault : null }));
}
