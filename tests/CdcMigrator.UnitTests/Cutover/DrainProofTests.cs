using CdcMigrator.Cutover.Draining;
using CdcMigrator.Domain.Log;
using Microsoft.Extensions.Time.Testing;

namespace CdcMigrator.UnitTests.Cutover;

public sealed class DrainProofTests
{
    private static readonly LaneId Orders = new("shop.public.orders", 0);
    private static readonly LaneId Fence = new("shop.cdc_migrator.fence", 2);

    [Fact]
    public async Task All_four_steps_make_the_proof()
    {
        var report = await ProveAsync(new Evidence { Marker = true, Confirmed = 100, Ends = { [Orders] = 7, [Fence] = 3 }, Progress = { [Orders] = 7, [Fence] = 4 } });
        Assert.True(report.Drained);
        Assert.Equal("", report.WaitingFor);
        Assert.Equal([Fence.Topic, Orders.Topic], report.Lanes.Select(lane => lane.Topic));
    }

    [Fact]
    public async Task An_unseen_marker_is_no_proof_whatever_the_offsets_say()
    {
        var report = await ProveAsync(new Evidence { Marker = false, Confirmed = 1000, Ends = { [Orders] = 7 }, Progress = { [Orders] = 7 } });
        Assert.Equal((false, false, false), (report.Drained, report.MarkerSeen, report.SlotConfirmed));
        Assert.Equal("the marker to appear in the log", report.WaitingFor);
        Assert.Equal("'cdcm lag' and 'cdcm status' show what is slow", report.FixOf(pace: null));
    }

    [Fact]
    public async Task A_slot_before_the_marker_is_no_proof()
    {
        var report = await ProveAsync(new Evidence { Marker = true, Confirmed = 99, Ends = { [Orders] = 7 }, Progress = { [Orders] = 7 } });
        Assert.False(report.Drained);
        Assert.Equal("the source's reader to confirm the marker, at its slot and in the offsets Connect stores", report.WaitingFor);
        Assert.StartsWith("Set offset.flush.interval.ms of the Connect worker to 200, ", report.FixOf(pace: null), StringComparison.Ordinal);
        Assert.Empty(report.Lanes);
    }

    [Fact]
    public async Task End_offsets_taken_before_the_slot_confirmed_are_not_used()
    {
        // The last record of orders becomes visible only when the slot confirms: ends taken before would be satisfied already.
        var evidence = new Evidence { Marker = true, Confirmed = 50, Ends = { [Orders] = 7 }, Progress = { [Orders] = 7 } };
        evidence.OnConfirmedRead = reads =>
        {
            if (reads == 3)
            {
                evidence.Confirmed = 100;
                evidence.Ends[Orders] = 8;
            }
        };
        var report = await ProveAsync(evidence);
        Assert.Equal((false, true), (report.Drained, report.SlotConfirmed));
        Assert.Equal(new DrainLane(Orders.Topic, 0, 8, 7), Assert.Single(report.Lanes));
    }

    [Fact]
    public async Task A_lane_without_progress_has_not_reached_its_end()
    {
        var report = await ProveAsync(new Evidence { Marker = true, Confirmed = 100, Ends = { [Orders] = 1 } });
        Assert.False(report.Drained);
        Assert.Equal("1 lanes to reach their end offsets", report.WaitingFor);
    }

    [Fact]
    public async Task An_empty_partition_needs_no_progress() =>
        Assert.True((await ProveAsync(new Evidence { Marker = true, Confirmed = 100, Ends = { [Orders] = 0 } })).Drained);

    [Fact]
    public async Task End_offsets_are_taken_once_so_that_later_writes_elsewhere_do_not_prolong_the_wait()
    {
        var evidence = new Evidence { Marker = true, Confirmed = 100, Ends = { [Fence] = 5 } };
        evidence.OnProgressRead = reads =>
        {
            evidence.Ends[Fence] += 10;
            evidence.Progress[Fence] = reads;
        };
        var report = await ProveAsync(evidence, TimeSpan.FromMinutes(5));
        Assert.True(report.Drained);
        Assert.Equal(5, Assert.Single(report.Lanes).EndOffset);
    }

    [Fact]
    public async Task Dead_letters_are_no_proof_though_progress_has_passed_them()
    {
        var report = await ProveAsync(new Evidence { Marker = true, Confirmed = 100, Ends = { [Orders] = 7 }, Progress = { [Orders] = 7 }, DeadLetters = 2 });
        Assert.Equal((false, 2L), (report.Drained, report.DeadLetters));
        Assert.Contains("2 dead letters", report.WaitingFor, StringComparison.Ordinal);
    }

    /// <summary>Time passes only between the proof's looks, so that the timeout is a number of them.</summary>
    private static async Task<DrainReport> ProveAsync(Evidence evidence, TimeSpan? timeout = null)
    {
        var time = new WaitingTime();
        var proof = new DrainProof(evidence, time).RunAsync("marker:1", 100, timeout ?? TimeSpan.FromMilliseconds(100), TestContext.Current.CancellationToken);
        for (var waits = 0; !proof.IsCompleted;)
        {
            if (time.Waits > waits)
            {
                waits++;
                time.Advance(TimeSpan.FromMilliseconds(10));
            }
            else
            {
                await Task.Delay(1, TestContext.Current.CancellationToken);
            }
        }

        return await proof;
    }

    private sealed class Evidence : IDrainEvidence
    {
        private int confirmedReads;
        private int progressReads;

        public bool Marker { get; init; }

        public ulong Confirmed { get; set; }

        public Dictionary<LaneId, long> Ends { get; } = [];

        public Dictionary<LaneId, long> Progress { get; } = [];

        public Action<int>? OnConfirmedRead { get; set; }

        public Action<int>? OnProgressRead { get; set; }

        public long DeadLetters { get; init; }

        public Task<long> CountDeadLettersAsync(CancellationToken cancellationToken) => Task.FromResult(DeadLetters);

        public Task<bool> IsMarkerSeenAsync(string markerId, CancellationToken cancellationToken) => Task.FromResult(Marker);

        public Task<bool> IsConfirmedAsync(ulong lsn, CancellationToken cancellationToken)
        {
            OnConfirmedRead?.Invoke(++confirmedReads);
            return Task.FromResult(Confirmed >= lsn);
        }

        public Task<IReadOnlyDictionary<LaneId, long>> ReadEndOffsetsAsync(CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyDictionary<LaneId, long>>(new Dictionary<LaneId, long>(Ends));

        public Task<IReadOnlyDictionary<LaneId, long>> ReadProgressAsync(CancellationToken cancellationToken)
        {
            OnProgressRead?.Invoke(++progressReads);
            return Task.FromResult<IReadOnlyDictionary<LaneId, long>>(new Dictionary<LaneId, long>(Progress));
        }
    }

    /// <summary>A clock that tells how often it was waited for.</summary>
    private sealed class WaitingTime : FakeTimeProvider
    {
        private int waits;

        public int Waits => Volatile.Read(ref waits);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            Interlocked.Increment(ref waits);
            return timer;
        }
    }
}
