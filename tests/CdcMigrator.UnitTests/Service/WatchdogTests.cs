using CdcMigrator.Service.Watching;

namespace CdcMigrator.UnitTests.Service;

/// <summary>Samples two seconds apart, as they were seen with real connectors.</summary>
public sealed class WatchdogTests
{
    private readonly Watchdog watchdog = new();
    private DateTimeOffset now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private TimeSpan stalled;

    [Fact]
    public void A_connector_that_retries_for_ever_is_stalled_from_its_last_progress_on()
    {
        Look(confirmed: 100, written: 200, readers: [7], records: 50);
        for (var i = 0; i < 60; i++)
        {
            // Ten seconds apart a new session tries the same again; in between nobody is there.
            Look(confirmed: 100, written: 200 + (ulong)i, readers: i % 5 == 0 ? [10 + i] : [], records: 50);
        }

        Assert.Equal(TimeSpan.FromSeconds(120), stalled);
    }

    [Fact]
    public void A_snapshot_that_begins_again_and_again_is_stalled_although_records_arrive()
    {
        var records = 0;
        for (var run = 0; run < 20; run++)
        {
            foreach (var part in new[] { 0, 400, 600 })
            {
                Look(confirmed: 100, written: 200, readers: [run * 10], records: records += part);
            }

            Look(confirmed: 100, written: 200, readers: [], records: records);
        }

        Assert.InRange(stalled, TimeSpan.FromSeconds(130), TimeSpan.FromSeconds(160));
    }

    [Fact]
    public void A_long_snapshot_or_transaction_that_goes_on_is_no_stall()
    {
        for (var i = 0; i < 500; i++)
        {
            Look(confirmed: 100, written: 200 + (ulong)i, readers: [7, 8], records: i);
            Assert.Equal(TimeSpan.Zero, stalled);
        }
    }

    [Fact]
    public void An_idle_source_with_heartbeats_is_no_stall()
    {
        for (ulong i = 0; i < 500; i++)
        {
            Look(confirmed: 100 + (i / 30), written: 200 + i, readers: [7], records: 50, heartbeats: (long)i / 5);
            Assert.True(stalled < TimeSpan.FromSeconds(12), $"{stalled} at {i}");
        }
    }

    [Fact]
    public void A_short_restart_of_connect_counts_only_as_long_as_it_lasts()
    {
        Look(confirmed: 100, written: 200, readers: [7], records: 50);
        for (var i = 0; i < 15; i++)
        {
            Look(confirmed: 100, written: 200, readers: [], records: 50);
        }

        Assert.Equal(TimeSpan.FromSeconds(30), stalled);
        Look(confirmed: 150, written: 200, readers: [9], records: 60);
        Assert.Equal(TimeSpan.Zero, stalled);
    }

    [Fact]
    public void A_connector_that_need_not_run_or_has_nothing_to_read_is_no_stall()
    {
        for (var i = 0; i < 100; i++)
        {
            Look(confirmed: 100, written: 200, readers: [], records: 50, shouldRun: false);
            Assert.Equal(TimeSpan.Zero, stalled);
            Look(confirmed: 200, written: 200, readers: [], records: 50);
        }

        Assert.Equal(TimeSpan.Zero, stalled);
    }

    private void Look(ulong confirmed, ulong written, int[] readers, long records, long heartbeats = 0, bool shouldRun = true)
    {
        now += TimeSpan.FromSeconds(2);
        stalled = watchdog.Look(new WatchSample(now, shouldRun, confirmed, written, heartbeats, records, readers));
    }
}
