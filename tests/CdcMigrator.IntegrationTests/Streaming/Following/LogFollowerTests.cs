using System.Collections.Concurrent;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Streaming.Following;
using CdcMigrator.Streaming.Inspection;
using CdcMigrator.TestKit.Kafka;
using Microsoft.Extensions.Logging.Abstractions;
using static CdcMigrator.IntegrationTests.Streaming.PipelineHarness;

namespace CdcMigrator.IntegrationTests.Streaming.Following;

public sealed class LogFollowerTests : IDisposable
{
    private readonly InProcessBroker broker = new();
    private readonly ConcurrentDictionary<LaneId, ConcurrentQueue<long>> seen = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_record_is_shown_once_in_its_partitions_order_from_the_offsets_given()
    {
        broker.ProduceMany(Topic, 400);
        await using var follower = Start();
        follower.Follow(new Dictionary<LaneId, long> { [Lane(0)] = 0, [Lane(1)] = 7, [Lane(2)] = 100, [Lane(3)] = 99 });
        await Reach(follower, 100, 100, 100, 100);
        Assert.Equal(Offsets(0, 100), Seen(0));
        Assert.Equal(Offsets(7, 93), Seen(1));
        Assert.Empty(Seen(2));
        Assert.Equal([99L], Seen(3));
        Assert.Null(follower.Fault);

        broker.ProduceMany(Topic, 40);
        await Reach(follower, 110, 110, 110, 110);
        Assert.Equal(Offsets(0, 110), Seen(0));
        Assert.Equal(Offsets(100, 10), Seen(2));
        Assert.Equal(Enumerable.Repeat(110L, 4), follower.Positions.Values);
    }

    [Fact]
    public async Task Topics_made_later_are_followed_from_where_they_are_given_and_those_known_stay_where_they_are()
    {
        broker.ProduceMany(Topic, 40);
        await using var follower = Start();
        follower.Follow(new Dictionary<LaneId, long> { [Lane(0)] = 0 });
        await Reach(follower, 10);
        follower.Follow(new Dictionary<LaneId, long> { [Lane(0)] = 0, [Lane(1)] = 0, [Lane(2, "shop.public.late")] = 0 });
        await broker.ProduceAsync("shop.public.late", 2, "k", "v");
        await follower.ReachAsync(new Dictionary<LaneId, long> { [Lane(1)] = 10, [Lane(2, "shop.public.late")] = 1 }, Token);
        Assert.Equal(Offsets(0, 10), Seen(0));
        Assert.Equal(Offsets(0, 10), Seen(1));
    }

    [Fact]
    public async Task Records_gone_before_they_were_shown_break_their_partition_by_name_and_no_other()
    {
        broker.ProduceBytes(Topic, 1, 100, 100_000);
        await broker.ProduceAsync(Topic, 0, "k", "v");
        var start = await StartOf(1);
        Assert.True(start > 3, $"the broker still has all: {start}");
        await using var follower = Start();
        follower.Follow(new Dictionary<LaneId, long> { [Lane(0)] = 0, [Lane(1)] = 3 });
        await Reach(follower, 1);
        var fault = (await Assert.ThrowsAsync<FaultException>(() => follower.ReachAsync(new Dictionary<LaneId, long> { [Lane(1)] = 100 }, Token))).Fault;
        Assert.Equal((FaultKind.LogBroken, "offsets-gone", Lane(1)), (fault.Kind, fault.Code, fault.Lane));
        Assert.Contains($"offsets 3 to {start - 1} are gone", fault.Message, StringComparison.Ordinal);
        Assert.Equal(fault, follower.Fault);
        Assert.Empty(Seen(1));

        // Whoever knows that the table is compared anew may begin behind the gap.
        follower.Follow(new Dictionary<LaneId, long> { [Lane(1)] = start });
        await follower.ReachAsync(new Dictionary<LaneId, long> { [Lane(1)] = 100 }, Token);
        Assert.Equal(Offsets(start, 100 - start), Seen(1));
        Assert.Null(follower.Fault);
    }

    [Fact]
    public async Task An_offset_beyond_the_end_breaks_the_partition()
    {
        broker.ProduceMany(Topic, 40);
        await using var follower = Start();
        follower.Follow(new Dictionary<LaneId, long> { [Lane(2)] = 500 });
        var fault = (await Assert.ThrowsAsync<FaultException>(() => follower.ReachAsync(new Dictionary<LaneId, long> { [Lane(2)] = 501 }, Token))).Fault;
        Assert.Equal((FaultKind.LogBroken, "log-truncated"), (fault.Kind, fault.Code));
    }

    [Fact]
    public async Task A_record_its_observer_fails_on_is_shown_again_and_never_passed_over()
    {
        broker.ProduceMany(Topic, 40);
        var failures = 0;
        await using var follower = Start(record =>
        {
            if (record is { Offset: 5 } && record.Lane == Lane(0) && Interlocked.Increment(ref failures) <= 3)
            {
                throw new FaultException(FaultKind.Unreachable, "registry-unreachable", "The registry does not answer");
            }
        });
        follower.Follow(new Dictionary<LaneId, long> { [Lane(0)] = 0 });
        await UntilAsync(() => follower.Fault is { Code: "registry-unreachable" } || Volatile.Read(ref failures) > 3, "the fault shown");
        await Reach(follower, 10);
        Assert.Equal(Offsets(0, 10), Seen(0));
        Assert.Null(follower.Fault);
        Assert.Equal(4, failures);
    }

    [Fact]
    public async Task Nothing_is_shown_while_it_is_paused_and_nothing_is_lost_by_it()
    {
        broker.ProduceMany(Topic, 40);
        await using var follower = Start();
        follower.IsPaused = true;
        follower.Follow(new Dictionary<LaneId, long> { [Lane(0)] = 0, [Lane(1)] = 0 });
        var reached = Reach(follower, 10, 10);
        await Task.Delay(200, Token);
        Assert.Empty(seen);
        Assert.False(reached.IsCompleted);
        follower.IsPaused = false;
        await reached;
        Assert.Equal(Offsets(0, 10), Seen(0));
    }

    [Fact]
    public async Task A_broker_that_is_away_is_shown_until_it_is_there()
    {
        await using var follower = LogFollower.Start(new LogFollowerOptions { BootstrapServers = "127.0.0.1:1" }, (_, _) => { }, NullLoggerFactory.Instance);
        follower.Follow(new Dictionary<LaneId, long> { [Lane(0)] = 0 });
        var reached = follower.ReachAsync(new Dictionary<LaneId, long> { [Lane(0)] = 1 }, Token);
        await UntilAsync(() => follower.Fault is { Code: "log-unreachable", Kind: FaultKind.Unreachable }, "the fault");
        Assert.False(reached.IsCompleted);
        await follower.DisposeAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reached);
    }

    [Fact]
    public async Task Waiting_for_what_is_not_followed_or_beyond_the_end_of_following_ends()
    {
        broker.ProduceMany(Topic, 40);
        var follower = Start();
        follower.Follow(new Dictionary<LaneId, long> { [Lane(0)] = 0 });
        Assert.Equal("not-followed", (await Assert.ThrowsAsync<FaultException>(() => follower.ReachAsync(new Dictionary<LaneId, long> { [Lane(1)] = 1 }, Token))).Fault.Code);
        await follower.ReachAsync(new Dictionary<LaneId, long> { [Lane(1)] = 0, [Lane(0)] = 10 }, Token);
        using var limit = new CancellationTokenSource();
        var given = follower.ReachAsync(new Dictionary<LaneId, long> { [Lane(0)] = 11 }, limit.Token);
        await limit.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);
        await follower.DisposeAsync();
        await follower.DisposeAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => follower.ReachAsync(new Dictionary<LaneId, long> { [Lane(0)] = 11 }, Token));
    }

    [Fact]
    public async Task Followers_ended_in_the_middle_of_everything_end_cleanly()
    {
        broker.ProduceMany(Topic, 2000);
        for (var round = 0; round < 20; round++)
        {
            var follower = Start();
            follower.Follow(Enumerable.Range(0, 4).ToDictionary(partition => Lane(partition), _ => 0L));
            var reached = Reach(follower, 500, 500, 500, 500);
            if (round % 4 == 3)
            {
                await reached;
            }

            await Task.WhenAll(follower.DisposeAsync().AsTask(), follower.DisposeAsync().AsTask(), Task.Run(() => follower.Follow(new Dictionary<LaneId, long> { [Lane(0, "other")] = 0 }), Token));
            if (round % 4 != 3)
            {
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reached);
            }

            var shown = seen.Values.Sum(offsets => offsets.Count);
            await Task.Yield();
            Assert.Equal(shown, seen.Values.Sum(offsets => offsets.Count));
            seen.Clear();
        }
    }

    public void Dispose() => broker.Dispose();

    private LogFollower Start(Action<LogRecord>? before = null) => LogFollower.Start(
        new LogFollowerOptions { BootstrapServers = broker.BootstrapServers, RetryInterval = TimeSpan.FromMilliseconds(50) },
        (record, _) =>
        {
            before?.Invoke(record);
            seen.GetOrAdd(record.Lane, _ => new ConcurrentQueue<long>()).Enqueue(record.Offset);
        },
        NullLoggerFactory.Instance);

    private static Task Reach(LogFollower follower, params long[] ends) =>
        follower.ReachAsync(Enumerable.Range(0, ends.Length).ToDictionary(partition => Lane(partition), partition => ends[partition]), Token).WaitAsync(TimeSpan.FromSeconds(60), Token);

    private ConcurrentQueue<long> Seen(int partition) => seen.GetOrAdd(Lane(partition), _ => new ConcurrentQueue<long>());

    private static IEnumerable<long> Offsets(long from, long count) => Enumerable.Range(0, (int)count).Select(i => from + i);

    private async Task<long> StartOf(int partition)
    {
        using var inspector = new LogInspector(broker.BootstrapServers, incarnation: "x");
        return (await inspector.ReadRangesAsync([Lane(partition)], Token))[Lane(partition)].Start;
    }
}
