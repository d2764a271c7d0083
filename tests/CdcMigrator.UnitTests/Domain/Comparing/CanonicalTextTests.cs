using CdcMigrator.Domain.Comparing;

namespace CdcMigrator.UnitTests.Domain.Comparing;

public sealed class CanonicalTextTests
{
    [Theory]
    [InlineData(CanonicalForm.Text, "1.0 ", "1.0 ")]
    [InlineData(CanonicalForm.TrimmedNumber, "000042", "42")]
    [InlineData(CanonicalForm.TrimmedNumber, "1.500", "1.5")]
    [InlineData(CanonicalForm.TrimmedNumber, "100", "100")]
    [InlineData(CanonicalForm.TrimmedNumber, "100.00", "100")]
    [InlineData(CanonicalForm.TrimmedNumber, "-0.00", "0")]
    [InlineData(CanonicalForm.TrimmedNumber, "-0.10", "-0.1")]
    [InlineData(CanonicalForm.TrimmedNumber, "NaN", "NaN")]
    [InlineData(CanonicalForm.TrimmedNumber, "", "")]
    [InlineData(CanonicalForm.Double, "1e+20", "1E+20")]
    [InlineData(CanonicalForm.Double, "1e-05", "1E-05")]
    [InlineData(CanonicalForm.Double, "0.00001", "1E-05")]
    [InlineData(CanonicalForm.Double, "-0", "-0")]
    [InlineData(CanonicalForm.Double, "Infinity", "Infinity")]
    [InlineData(CanonicalForm.Unpadded, " a  ", " a")]
    [InlineData(CanonicalForm.Hex, "123E4567-E89B-12D3", "123e4567e89b12d3")]
    [InlineData(CanonicalForm.Array, "{}", "{}")]
    [InlineData(CanonicalForm.Array, "{a,\"b c\",NULL,\"NULL\",\"\"}", "{\"a\",\"b c\",NULL,\"NULL\",\"\"}")]
    [InlineData(CanonicalForm.Array, "{{\"a\\\"b\",\"c\\\\d\"},{e,f}}", "{{\"a\\\"b\",\"c\\\\d\"},{\"e\",\"f\"}}")]
    [InlineData(CanonicalForm.Point, "(1.50,1e10)", "(1.5,10000000000)")]
    public void A_value_has_one_text_in_its_form(CanonicalForm form, string text, string expected)
    {
        Assert.Equal(expected, CanonicalText.Of(form, text));
        Assert.Equal(expected, CanonicalText.Of(form, expected));
    }
}
