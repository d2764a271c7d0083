using CdcMigrator.Domain.Tables;
using CdcMigrator.MariaDb.Catalog;
using CdcMigrator.TestKit.Events;

namespace CdcMigrator.UnitTests.MariaDb;

public sealed class TypeFitTests
{
    [Theory]
    [InlineData("tinyint", 0, ColumnKind.Boolean, "bool", "Events")]
    [InlineData("tinyint", 0, ColumnKind.Integer, "int2", "Events")]
    [InlineData("int", 0, ColumnKind.Boolean, "bool", "None")]
    [InlineData("bigint", 0, ColumnKind.Numeric, "numeric", "Events")]
    [InlineData("float", 0, ColumnKind.Float, "float4", "Events")]
    [InlineData("float", 0, ColumnKind.Float, "float8", "Source")]
    [InlineData("bit", 1, ColumnKind.Boolean, "bool", "Events")]
    [InlineData("bit", 8, ColumnKind.Boolean, "bool", "None")]
    [InlineData("bit", 8, ColumnKind.Integer, "int8", "Source")]
    [InlineData("bit", 64, ColumnKind.Integer, "int8", "None")]
    [InlineData("binary", 16, ColumnKind.Text, "uuid", "Events")]
    [InlineData("binary", 8, ColumnKind.Text, "uuid", "None")]
    [InlineData("uuid", 0, ColumnKind.Text, "uuid", "Events")]
    [InlineData("uuid", 0, ColumnKind.Text, "text", "Source")]
    [InlineData("char", 36, ColumnKind.Text, "uuid", "Events")]
    [InlineData("datetime", 0, ColumnKind.Date, "date", "None")]
    [InlineData("time", 0, ColumnKind.Interval, "interval", "Events")]
    [InlineData("varchar", 9, ColumnKind.Bytes, "bytea", "None")]
    public void A_type_goes_to_the_types_that_can_take_it(string source, int length, ColumnKind kind, string target, string fit) =>
        Assert.Equal(fit, TypeFit.Of(new SourceColumn("v", source, source) { Length = length }, TestRoutes.Column("v", kind, target).Type).ToString());

    [Theory]
    [InlineData("boolean", "boolean", "bool", true)]
    [InlineData("BOOL", "boolean", "bool", true)]
    [InlineData("smallint", "boolean", "bool", false)]
    [InlineData("varchar", "character varying", "varchar", true)]
    [InlineData("timestamptz", "timestamp with time zone", "timestamptz", true)]
    [InlineData("mood", "public.mood", "mood", true)]
    [InlineData("text[]", "text", "text", false)]
    public void The_type_a_column_is_wanted_as_may_have_any_of_its_names(string name, string sql, string baseName, bool same) =>
        Assert.Equal(same, TypeFit.IsNamed(TestRoutes.Column("v", ColumnKind.Text, sql, baseName).Type, name));

    [Fact]
    public void An_array_is_named_by_its_element() => Assert.True(TypeFit.IsNamed(TestRoutes.Array("v", ColumnKind.Text, "text").Type, "text[]"));

    [Fact]
    public void A_setting_that_does_nothing_or_harms_a_key_is_refused()
    {
        var text = TestRoutes.Text("v").Type;
        var label = new SourceColumn("v", "enum", "enum('a','b')");

        Assert.Contains("'zeroDate' is for", MappingRules.Refuse(label, text, new() { ZeroDate = new(DateAction.Null) }, isKey: false), StringComparison.Ordinal);
        Assert.Contains("'c' is no label", MappingRules.Refuse(label, text, new() { Labels = new Dictionary<string, string> { ["c"] = "d" } }, isKey: false), StringComparison.Ordinal);
        Assert.Null(MappingRules.Refuse(label, text, new() { Labels = new Dictionary<string, string> { ["a"] = "b" } }, isKey: false));
        Assert.Contains("would become one", MappingRules.Refuse(label, text, new() { Labels = new Dictionary<string, string> { ["a"] = "b" } }, isKey: true), StringComparison.Ordinal);
        Assert.Contains("could become one", MappingRules.Refuse(new("v", "varchar", "varchar(9)") { CharacterSet = "utf8mb4" }, text, new() { NulCharacter = NulRule.Strip }, isKey: true), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("date", false, "'2000-01-01'", "2000-01-01")]
    [InlineData("datetime", false, "2000-01-01 00:00:00", "2000-01-01 00:00:00")]
    [InlineData("datetime", false, "current_timestamp()", null)]
    [InlineData("timestamp", false, "'0000-00-00 00:00:00'", null)]
    [InlineData("date", false, null, null)]
    [InlineData("date", true, "'2000-01-01'", null)]
    [InlineData("varchar", false, "'2000-01-01'", null)]
    public void The_default_that_stands_for_a_zero_date_is_that_of_a_NOT_NULL_date(string type, bool nullable, string? text, string? expected) =>
        Assert.Equal(expected, new SourceColumn("v", type, type) { Nullable = nullable, Default = text }.ZeroDateDefault);
}
