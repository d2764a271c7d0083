using CdcMigrator.Postgres.Comparing;

namespace CdcMigrator.UnitTests.Postgres.Comparing;

public sealed class PostgresViewTests
{
    private const ulong Epoch = 1UL << 32;

    [Theory]
    [InlineData("100:105:100,103", 99, true)]
    [InlineData("100:105:100,103", 100, false)]
    [InlineData("100:105:100,103", 101, true)]
    [InlineData("100:105:100,103", 103, false)]
    [InlineData("100:105:100,103", 104, true)]
    [InlineData("100:105:100,103", 105, false)]
    [InlineData("100:105:100,103", 2_000_000_000, false)]
    [InlineData("100:100:", 99, true)]
    [InlineData("100:100:", 100, false)]
    [InlineData("3:3:", 3, false)]
    public void A_snapshot_sees_what_ended_before_it(string snapshot, ulong transaction, bool sees)
    {
        var view = PostgresView.Parse($"{snapshot}:110");
        Assert.Equal(sees, view.Sees(transaction));
        Assert.Equal($"{snapshot}:110", view.ToString());
    }

    [Theory]
    [InlineData("100:105:100", 105, "100:105:100:108")]
    [InlineData("100:105:100", 102, "100:105:100:105")]
    [InlineData("4294967290:4294967295:", 2, "4294967290:4294967295::4294967301")]
    [InlineData("2147483640:2147483650:", -2147483640, "2147483640:2147483650::2147483659")]
    [InlineData("9000000000:9000000001:", 410065410, "9000000000:9000000001::9000000005")]
    public void The_next_id_is_read_from_the_age_of_the_first(string snapshot, int age, string expected) =>
        Assert.Equal(expected, PostgresView.Of(snapshot, age).ToString());

    /// <summary>Around every border of 32 and 31 bits an id modulo 2^32 means what the whole one does.</summary>
    [Fact]
    public void Ids_modulo_two_to_the_32_mean_the_nearest_ones()
    {
        foreach (var xmax in from epoch in new ulong[] { 1, 2, 5 } from place in new long[] { -3, 0, 3, int.MaxValue - 1L, int.MaxValue, int.MaxValue + 1L } select unchecked((ulong)((long)(epoch * Epoch) + place)))
        {
            var view = PostgresView.Parse($"{xmax - 4}:{xmax}:{xmax - 4},{xmax - 2}:{xmax + 1}");
            foreach (var distance in new long[] { -int.MaxValue, -1_000_000_000, -5, -4, -3, -2, -1, 0, 1, 1_000_000_000, int.MaxValue })
            {
                var whole = unchecked((ulong)((long)xmax + distance));
                Assert.Equal(distance < 0 && distance is not (-4 or -2), view.Sees(whole & uint.MaxValue));
            }
        }
    }

    [Theory]
    [InlineData("100:105:100,103:106", "90:99::99", true)]
    [InlineData("100:105:100,103:106", "90:98:90:100", true)]
    [InlineData("100:105:100,103:106", "90:99::101", false)]
    [InlineData("100:105:100,103:106", "100:105:100,103:106", false)]
    [InlineData("100:100::100", "100:100::100", true)]
    [InlineData("100:100::101", "100:100::101", false)]
    [InlineData("4294967300:4294967310:4294967300:4294967310", "4294967200:4294967290::4294967300", true)]
    public void A_snapshot_is_past_another_when_nothing_that_ran_then_runs_still(string snapshot, string earlier, bool past) =>
        Assert.Equal(past, PostgresView.Parse(snapshot).IsPast(PostgresView.Parse(earlier)));

    [Theory]
    [InlineData("")]
    [InlineData("1:2:")]
    [InlineData("a:2::2")]
    [InlineData("1:2:x:2")]
    public void Other_text_is_refused(string text) => Assert.Throws<FormatException>(() => PostgresView.Parse(text));
}
