using CdcMigrator.Domain.Comparing;

namespace CdcMigrator.UnitTests.Domain.Comparing;

public sealed class CanonicalJsonTests
{
    [Theory]
    [InlineData(" { \"b\" : 1 , \"a\" : [ true , null , \"x\" ] } ", "{\"a\":[true,null,\"x\"],\"b\":1}")]
    [InlineData("{\"a\":1,\"a\":2}", "{\"a\":2}")]
    [InlineData("{\"aa\":1,\"b\":2}", "{\"aa\":1,\"b\":2}")]
    [InlineData("\"\\u00e9\\n\\/\"", "\"é\n/\"")]
    [InlineData("\"\\\"\\\\\"", "\"\\\"\\\\\"")]
    [InlineData("1", "1")]
    [InlineData("1.0", "1.0")]
    [InlineData("1.50", "1.50")]
    [InlineData("1e2", "100")]
    [InlineData("1.5E+1", "15")]
    [InlineData("1.50e1", "15.0")]
    [InlineData("1.5e-3", "0.0015")]
    [InlineData("12e-1", "1.2")]
    [InlineData("-0", "0")]
    [InlineData("-0.0", "0.0")]
    [InlineData("-0.10", "-0.10")]
    [InlineData("0e5", "0")]
    [InlineData("0.001e3", "1")]
    [InlineData("{}", "{}")]
    [InlineData("[]", "[]")]
    [InlineData("[{},{}]", "[{},{}]")]
    public void Json_has_one_text(string text, string expected) => Assert.Equal(expected, CanonicalJson.Of(text));

    [Fact]
    public void What_is_no_json_equals_none() => Assert.NotEqual(CanonicalJson.Of("{"), CanonicalJson.Of("\"{\""));
}
