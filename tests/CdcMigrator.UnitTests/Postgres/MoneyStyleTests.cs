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
}
