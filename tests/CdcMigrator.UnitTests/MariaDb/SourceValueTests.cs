using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.MariaDb.Catalog;
using CdcMigrator.MariaDb.Values;
using CdcMigrator.TestKit.Events;

namespace CdcMigrator.UnitTests.MariaDb;

/// <summary>What a value read from MariaDB becomes under what the migration file says of its column: the same as an event's.</summary>
public sealed class SourceValueTests
{
    private static readonly TargetColumn Date = TestRoutes.Column("v", ColumnKind.Date, "date");
    private static readonly TargetColumn Stamp = TestRoutes.Column("v", ColumnKind.Timestamp, "timestamp");
    private static readonly TargetColumn Zoned = TestRoutes.Column("v", ColumnKind.TimestampTz, "timestamptz");
    private static readonly TargetColumn Boolean = TestRoutes.Column("v", ColumnKind.Boolean, "boolean");
    private static readonly TargetColumn Text = TestRoutes.Text("v");
    private static readonly TargetColumn Uuid = TestRoutes.Column("v", ColumnKind.Text, "uuid");

    [Theory]
    [InlineData("null", null)]
    [InlineData("epoch", "1970-01-01")]
    [InlineData("-infinity", "-infinity")]
    [InlineData("1900-01-01", "1900-01-01")]
    public void A_zero_date_becomes_what_the_file_says(string rule, string? expected)
    {
        var mapping = new ColumnMapping { ZeroDate = DateRule.Parse(rule)!.Value };

        Assert.Equal(expected, Value("date", Date with { NotNull = true }, mapping).Of("0000-00-00"));
        Assert.Equal(expected is null or "-infinity" ? expected : $"{expected} 00:00:00", Value("datetime", Stamp, mapping).Of("0000-00-00 00:00:00.000000"));
        Assert.Equal(expected is null or "-infinity" ? expected : $"{expected} 00:00:00+00", Value("timestamp", Zoned, mapping).Of("0000-00-00 00:00:00"));
        Assert.Equal("2024-02-29", Value("date", Date, mapping).Of("2024-02-29"));
    }

    [Theory]
    [InlineData("2024-00-00", "2024-01-01")]
    [InlineData("2024-00-10", "2024-01-10")]
    [InlineData("2024-05-00", "2024-05-01")]
    public void A_partial_date_becomes_the_first_of_its_month_or_year_where_the_file_says_so(string value, string expected)
    {
        var mapping = new ColumnMapping { PartialDate = new(DateAction.First) };

        Assert.Equal(expected, Value("date", Date, mapping).Of(value));
        Assert.Equal($"{expected} 12:30:00.5", Value("datetime", Stamp, mapping).Of($"{value} 12:30:00.500000"));
        Assert.Equal("zero-date", Refused(Value("date", Date, mapping), "0000-05-10").Code);
    }

    [Fact]
    public void Without_a_rule_zero_and_partial_dates_are_NULL_or_where_the_target_takes_none_refused()
    {
        foreach (var value in new[] { "0000-00-00", "2024-00-10", "0000-01-01" })
        {
            Assert.Null(Value("date", Date).Of(value));
            Assert.Equal("zero-date", Refused(Value("date", Date with { NotNull = true }), value).Code);
        }

        Assert.Contains("columns: { v: { zeroDate: ", Refused(Value("date", Date with { NotNull = true }), "0000-00-00").Fix, StringComparison.Ordinal);
        Assert.Contains("columns: { v: { partialDate: ", Refused(Value("date", Date with { NotNull = true }), "2024-00-01").Fix, StringComparison.Ordinal);
        Assert.Equal("zero-date", Refused(Value("date", Date, new() { ZeroDate = new(DateAction.Refuse) }), "0000-00-00").Code);
        Assert.Null(Value("date", Date, new() { ZeroDate = new(DateAction.Replace, "1970-01-01") }).Of("2024-00-01"));
    }

    [Fact]
    public void A_value_with_a_time_is_not_cut_to_its_day() => Assert.Equal("type-unfit", Refused(Value("date", Date), "2024-02-29 12:00:00").Code);

    [Fact]
    public void Numbers_but_0_and_1_are_true_where_the_file_says_so_and_else_refused()
    {
        var mapping = new ColumnMapping { NonZeroIsTrue = true };
        Assert.Equal(("f", "t", "t", "t"), (Value("tinyint", Boolean, mapping).Of("0"), Value("tinyint", Boolean, mapping).Of("1"), Value("tinyint", Boolean, mapping).Of("5"), Value("tinyint", Boolean, mapping).Of("-1")));
        Assert.Equal("not-boolean", Refused(Value("tinyint", Boolean), "5").Code);
    }

    [Fact]
    public void A_NUL_character_is_stripped_replaced_or_refused()
    {
        Assert.Equal("ab", Value("varchar", Text, new() { NulCharacter = NulRule.Strip }).Of("a\0b"));
        Assert.Equal("a\uFFFDb", Value("varchar", Text, new() { NulCharacter = NulRule.Replace }).Of("a\0b"));
        Assert.Equal("nul-character", Refused(Value("varchar", Text), "a\0b").Code);
        Assert.Equal("""["a\ufffd\\u0000"]""", Value("json", TestRoutes.Column("v", ColumnKind.Text, "jsonb"), new() { NulCharacter = NulRule.Replace }).Of("""["a\u0000\\u0000"]"""));
    }

    [Theory]
    [InlineData(UuidFormat.Binary16, "00112233445566778899aabbccddeeff")]
    [InlineData(UuidFormat.TimeSwapBinary16, "44556677223300118899aabbccddeeff")]
    [InlineData(UuidFormat.LittleEndianBinary16, "33221100554477668899aabbccddeeff")]
    public void The_bytes_of_a_uuid_are_put_in_order_and_back_where_rows_are_read_by_it(UuidFormat format, string expected)
    {
        const string Stored = "00112233445566778899AABBCCDDEEFF";
        var value = Value("binary", Uuid, new() { UuidFormat = format });

        Assert.Equal(expected, value.Of(Stored));
        Assert.Equal($"x'{Stored}'", value.Literal(expected));
    }

    [Fact]
    public void Labels_have_the_names_of_the_file_and_their_own_where_rows_are_read_by_them()
    {
        var mapping = new ColumnMapping { Labels = new Dictionary<string, string> { ["b,c"] = "b/c", ["x"] = "X" } };

        Assert.Equal(("b/c", "a"), (Value("enum", Text, mapping).Of("b,c"), Value("enum", Text, mapping).Of("a")));
        Assert.Equal("X,y", Value("set", Text, mapping).Of("x,y"));
        Assert.Equal("""{"X","y"}""", Value("set", TestRoutes.Array("v", ColumnKind.Text, "text"), mapping).Of("x,y"));
        Assert.Equal($"_utf8mb4 x'{Convert.ToHexString("b,c"u8)}'", Value("enum", Text, mapping).Literal("b/c"));
    }

    private static SourceValue Value(string type, TargetColumn target, ColumnMapping? mapping = null) =>
        new(new SourceColumn("v", type, type), target, mapping ?? ColumnMapping.None, new TableName("shop", "t"));

    private static Fault Refused(SourceValue value, string text) => Assert.Throws<FaultException>(() => value.Of(text)).Fault;
}
