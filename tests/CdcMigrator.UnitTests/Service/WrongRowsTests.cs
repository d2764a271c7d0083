using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Service.Repairing;

namespace CdcMigrator.UnitTests.Service;

/// <summary>Rows are named for a repair as comparisons list them, and none but the one that is meant.</summary>
public sealed class WrongRowsTests
{
    private static readonly RowKey[] Keys = [new("10", "b"), new("1", "a, x"), new("9", "b"), new("1", "a")];

    [Theory]
    [InlineData("id=10, part=b", "10, b")]
    [InlineData(" id=10,part=b ", "10, b")]
    [InlineData("""{"id":"9","part":"b"}""", "9, b")]
    [InlineData("9,b", "9, b")]
    [InlineData("1, a", "1, a")]
    [InlineData("1, a, x", "1, a, x")]
    [InlineData("id=1", null)]
    [InlineData("9", null)]
    [InlineData("id=9, part=B", null)]
    [InlineData("", null)]
    public void A_row_is_found_by_each_spelling_of_its_whole_key(string text, string? key) => Assert.Equal(key, Rows().Named(text) is [var found] ? found.ToString() : null);

    [Fact]
    public void A_repair_goes_on_behind_the_last_key_whatever_was_repaired_since()
    {
        var rows = Rows();
        Assert.Equal(["1, a", "1, a, x", "10, b", "9, b"], rows.After(null).Select(key => key.ToString()));
        Assert.Equal(["10, b", "9, b"], rows.After(["1", "a, x"]).Select(key => key.ToString()));
        Assert.Equal(["10, b", "9, b"], rows.After(["1", "b"]).Select(key => key.ToString()));
        Assert.Empty(rows.After(["9", "b"]));
    }

    private static WrongRows Rows() => new(new TableState
    {
        Table = new TableName("public", "t"),
        KeyColumns = ["id", "part"],
        Wrong = Keys.ToDictionary(key => key, key => new RowMismatch(key, DifferenceKind.Missing, [])),
    });
}
