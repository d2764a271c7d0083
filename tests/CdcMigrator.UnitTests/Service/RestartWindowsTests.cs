using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Log;
using CdcMigrator.Service.Verifying;
using CdcMigrator.Streaming.Inspection;

namespace CdcMigrator.UnitTests.Service;

public sealed class RestartWindowsTests
{
    private static readonly LaneId Orders = new("shop.public.orders", 0);

    [Theory]
    [InlineData("500 2000", "1990-2010 490-510")]
    [InlineData("500 515 700", "690-710 490-525")]
    [InlineData("105", "100-115")]
    [InlineData("2995", "2985-3000")]
    [InlineData("20", "")]
    [InlineData("4000", "")]
    public void Windows_lie_about_claims_as_far_as_the_log_has_them_and_those_that_touch_are_one(string claims, string windows)
    {
        var of = RestartWindows.Of(
            [.. claims.Split(' ').Select(offset => new ClaimedAt(Orders, long.Parse(offset, System.Globalization.CultureInfo.InvariantCulture), default))],
            new Dictionary<LaneId, LogRange> { [Orders] = new(100, 3000) }, 10);
        Assert.Equal(windows, string.Join(' ', of[Orders].Select(window => $"{window.Start}-{window.End}")));
    }

    [Fact]
    public void A_lane_the_log_has_no_more_has_no_windows() =>
        Assert.Empty(RestartWindows.Of([new ClaimedAt(new LaneId("gone", 3), 7, default)], new Dictionary<LaneId, LogRange> { [Orders] = new(0, 10) }, 10));
}
