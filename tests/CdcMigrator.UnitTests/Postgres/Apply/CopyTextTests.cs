using System.Buffers;
using System.Text;
using CdcMigrator.Postgres.Apply;

namespace CdcMigrator.UnitTests.Postgres.Apply;

public sealed class CopyTextTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("plain é 😀", "plain é 😀")]
    [InlineData("\\", "\\\\")]
    [InlineData("a\tb\nc\rd", "a\\tb\\nc\\rd")]
    [InlineData("\\N", "\\\\N")]
    [InlineData("\\.", "\\\\.")]
    [InlineData("\t\t", "\\t\\t")]
    public void Only_what_COPY_gives_a_meaning_to_is_escaped(string value, string expected)
    {
        var output = new ArrayBufferWriter<byte>();
        CopyText.WriteValue(Encoding.UTF8.GetBytes(value), output);
        Assert.Equal(expected, Encoding.UTF8.GetString(output.WrittenSpan));
    }
}
