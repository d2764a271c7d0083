using CdcMigrator.Postgres.Comparing;

namespace CdcMigrator.UnitTests.Postgres.Comparing;

public sealed class PostgresViewTests
{
    private const ulong Epoch = 1UL << 32;

    [Theory]
    [InlineData("100:105:100,103", 99, true, true)]
    [InlineData("100:105:100,103", 100, false, false)]
    [InlineData("100:105:100,103", 101, true, false)]
    [InlineData("100:105:100,103", 103, false, false)]
    [InlineData("100:105:100,103", 104, true, false)]
    [InlineData("100:105:100,103", 105, false, false)]
    [InlineData("100:105:100,103", 2_000_000_000, false, false)]
    [InlineData("100:100:", 99, true, true)]
    [InlineData("100:100:", 100, false, false)]
    [InlineData("3:3:", 3, false, false)]
    public void A_snapshot_sees_what_ended_before_it(string snapshot, ulong transaction, bool sees, bool always)
    {
        var view = PostgresView.Parse(snapshot);
        Assert.Equal((sees, always), (view.Sees(transaction), view.SeenByAllLater(transaction)));
        Assert.Equal(snapshot, view.ToString());
    }

    /// <summary>Around every border of 32 and 31 bits an id modulo 2^32 means what the whole one does.</summary>
    [Fact]
    public void Ids_modulo_two_to_the_32_mean_the_nearest_ones()
    {
        foreach (var xmax in from epoch in new ulong[] { 1, 2, 5 } from place in new long[] { -3, 0, 3, int.MaxValue - 1L, int.MaxValue, int.MaxValue + 1L } select unchecked((ulong)((long)(epoch * Epoch) + place)))
        {
            var view = PostgresView.Parse($"{xmax - 4}:{xmax}:{xmax - 4},{xmax - 2}");
            foreach (var distance in new long[] { -int.MaxValue, -1_000_000_000, -5, -4, -3, -2, -1, 0, 1, 1_000_000_000, int.MaxValue })
            {
                var whole = unchecked((ulong)((long)xmax + distance));
                Assert.Equal(distance < 0 && distance is not (-4 or -2), view.Sees(whole & uint.MaxValue));
                Assert.Equal(distance < -4, view.SeenByAllLater(whole & uint.MaxValue));
            }
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("1:2")]
    [InlineData("a:2:")]
    [InlineData("1:2:x")]
    public void Other_text_is_refused(string text) => Assert.Throws<FormatException>(() => PostgresView.Parse(text));
}
