using CdcMigrator.Reconciliation.Checks;

namespace CdcMigrator.UnitTests.Reconciliation.Checks;

/// <summary>Values of rules are compared as the numbers they are, whatever their size and spelling.</summary>
public sealed class RuleComparisonTests
{
    [Theory]
    [InlineData("1.0", "1", "0", true, null)]
    [InlineData("100", "1e2", "0", true, null)]
    [InlineData("-0.5", "-5E-1", "0", true, null)]
    [InlineData("10.00", "10.01", "0.01", true, "0.01")]
    [InlineData("10.00", "10.011", "0.01", false, "0.011")]
    [InlineData("99999999999999999999999999999999999999.01", "99999999999999999999999999999999999999.02", "0", false, "0.01")]
    [InlineData("5", "-5", "9.99", false, "10")]
    [InlineData("NaN", "NaN", "0", true, null)]
    [InlineData("NaN", "1", "5", false, "other text")]
    [InlineData("abc", "abc", "0", true, null)]
    [InlineData("abc", "abC", "5", false, "other text")]
    [InlineData(null, null, "0", true, null)]
    [InlineData(null, "0", "5", false, "NULL on one side")]
    [InlineData("1e9999999", "1e9999999", "0", true, null)]
    public void Single_values(string? source, string? target, string tolerance, bool isEqual, string? difference)
    {
        var compared = RuleComparison.Of([[source]], [[target]], decimal.Parse(tolerance, System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal((isEqual, difference), (compared.IsEqual, compared.Difference));
    }

    [Fact]
    public void Rows_come_in_any_order_and_are_paired_by_what_is_no_number()
    {
        IReadOnlyList<IReadOnlyList<string?>> source = [["de", "10.5"], ["at", "7"], [null, "1"]];
        Assert.True(RuleComparison.Of(source, [[null, "1"], ["at", "7.0"], ["de", "10.6"]], 0.1m).IsEqual);
        Assert.False(RuleComparison.Of(source, [[null, "1"], ["at", "10.5"], ["de", "7"]], 0.1m).IsEqual);
        Assert.Equal("3 rows and 2 rows", RuleComparison.Of(source, [["de", "10.5"], ["at", "7"]], 0).Difference);
        Assert.Equal("2 columns and 1 columns", RuleComparison.Of([["a", "1"]], [["a"]], 0).Difference);
    }

    [Fact]
    public void No_rows_on_both_sides_are_equal() => Assert.True(RuleComparison.Of([], [], 0).IsEqual);

    [Fact]
    public void Of_several_rows_no_value_is_shown() => Assert.Equal("2 rows", RuleComparison.Of([["secret"], ["b"]], [["secret"], ["b"]], 0).Source);
}
