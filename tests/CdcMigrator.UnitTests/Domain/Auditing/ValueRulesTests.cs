using CdcMigrator.Domain.Auditing;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.UnitTests.Domain.Auditing;

/// <summary>What follows from the values a column holds.</summary>
public sealed class ValueRulesTests
{
    private const long MaxRecord = 64 << 20;
    private static readonly TableMapping Plain = new() { Source = new TableName("shop", "t"), Target = new TableName("public", "t") };

    [Theory]
    [InlineData(ValueOddity.OverMegabyte, "text", true, "large-value", Severity.Warning)]
    [InlineData(ValueOddity.Padded, "text", true, "padded-text", Severity.Info)]
    [InlineData(ValueOddity.Replacement, "text", true, "replacement-character", Severity.Warning)]
    [InlineData(ValueOddity.Nul, "json", true, "nul-character", Severity.Warning)]
    [InlineData(ValueOddity.Nul, "varchar(9)", true, "nul-character", Severity.Error)]
    [InlineData(ValueOddity.NotANumber, "numeric", true, "nan", Severity.Info)]
    [InlineData(ValueOddity.Infinite, "date", true, "infinite-value", Severity.Info)]
    [InlineData(ValueOddity.BeforeChrist, "date", true, "date-bc", Severity.Info)]
    [InlineData(ValueOddity.FarFuture, "date", true, "date-far", Severity.Info)]
    [InlineData(ValueOddity.ZeroDate, "date", true, "zero-date", Severity.Warning)]
    [InlineData(ValueOddity.ZeroDate, "date", false, "zero-date", Severity.Error)]
    [InlineData(ValueOddity.PartialDate, "date", true, "zero-date", Severity.Warning)]
    [InlineData(ValueOddity.BeyondBigint, "bigint(20) unsigned", true, "out-of-range", Severity.Warning)]
    [InlineData(ValueOddity.NotBoolean, "tinyint(1)", true, "not-boolean", Severity.Warning)]
    [InlineData(ValueOddity.EnumIndexZero, "enum('a')", true, "enum-empty", Severity.Warning)]
    [InlineData(ValueOddity.NoTimeOfDay, "time", true, "out-of-range", Severity.Warning)]
    [InlineData(ValueOddity.YearZero, "year(4)", true, "year-zero", Severity.Error)]
    public void An_oddity_is_a_finding_with_table_column_and_fix(string oddity, string type, bool nullable, string code, Severity severity)
    {
        var finding = Assert.Single(ValueRules.Of(Plain, Column(type, nullable, oddity), MaxRecord));
        Assert.Equal((code, severity, "shop.t", "c"), (finding.Code, finding.Severity, finding.Table, finding.Column));
        Assert.NotEmpty(finding.Fix);
    }

    [Theory]
    [InlineData(ValueOddity.Empty)]
    [InlineData(ValueOddity.NonAscii)]
    public void What_is_worth_counting_only_is_no_finding(string oddity) => Assert.Empty(ValueRules.Of(Plain, Column("text", true, oddity), MaxRecord));

    [Fact]
    public void A_value_larger_than_the_largest_record_is_an_error() =>
        Assert.Equal(Severity.Error, Assert.Single(ValueRules.Of(Plain, Column("text", true, ValueOddity.OverMegabyte) with { LongestBytes = MaxRecord + 1 }, MaxRecord)).Severity);

    [Fact]
    public void What_the_file_settles_is_no_finding()
    {
        var mapped = Plain with
        {
            Columns = new Dictionary<string, ColumnMapping>
            {
                ["c"] = new() { ZeroDate = new(DateAction.Null), PartialDate = new(DateAction.First), NulCharacter = NulRule.Strip, NonZeroIsTrue = true },
            },
        };
        Assert.All(
            new[] { ValueOddity.ZeroDate, ValueOddity.PartialDate, ValueOddity.Nul, ValueOddity.NotBoolean },
            oddity => Assert.Empty(ValueRules.Of(mapped, Column("text", false, oddity), MaxRecord)));
    }

    private static ColumnProfile Column(string type, bool nullable, string oddity) =>
        new("c", type) { Nullable = nullable, LongestBytes = 2_000_000, Oddities = new Dictionary<string, long> { [oddity] = 2 } };
}
