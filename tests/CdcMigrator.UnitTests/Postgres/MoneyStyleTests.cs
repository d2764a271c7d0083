using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Preflight;

namespace CdcMigrator.UnitTests.Postgres;

/// <summary>Which styles of money the connector reads as they are meant; others lose digits without a trace.</summary>
public sealed class MoneyStyleTests
{
    [Theory]
    [InlineData("$1,234.56", true)]
    [InlineData("£1,234.56", true)]
    [InlineData("$1234.56", true)]
    [InlineData("€ 1.234,56", false)]
    [InlineData("1.234,56 €", false)]
    [InlineData("1 234,56 €", false)]
    [InlineData("¥1,235", false)]
    [InlineData("CHF1'234.56", false)]
    [InlineData("", false)]
    public void A_style_is_read_as_meant_or_refused(string printed, bool read) => Assert.Equal(read, MoneyStyle.IsReadAsMeant(printed));

    [Fact]
    public void Sides_that_print_an_amount_in_different_ways_are_named_with_both()
    {
        var finding = MoneyStyle.Differs(new TableName("public", "orders"), "price", ("C", "$1,234.56"), ("ja_JP.UTF-8", "¥123,456"));
        Assert.Equal(("money-locale-differs", "public.orders", "price", Severity.Warning), (finding.Code, finding.Table, finding.Column, finding.Severity));
        Assert.Contains("prints $1,234.56 where the target (lc_monetary = 'ja_JP.UTF-8') prints ¥123,456", finding.Message, StringComparison.Ordinal);
    }
}
