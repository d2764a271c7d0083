using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Status;
using CdcMigrator.Streaming.Consuming;
using CdcMigrator.Streaming.Inspection;
using CdcMigrator.Streaming.Lanes;
using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;

namespace CdcMigrator.UnitTests.Streaming;

public sealed class LaneRulesTests
{
    private static readonly LaneId Lane = new("shop.public.orders", 2);

    [Fact]
    public void Pauses_grow_to_five_seconds_and_are_never_shorter_than_half() =>
        Gen.Select(Gen.Int[1, 1000], Gen.Double[0, 1]).Sample((attempt, random) =>
        {
            var full = Math.Min(5000, 100 * Math.Pow(2, attempt - 1));
            return Backoff.Delay(attempt, random).TotalMilliseconds >= (full / 2) - 1 && Backoff.Delay(attempt, random).TotalMilliseconds <= full + 1;
        });

    [Theory]
    [InlineData(10, 0, 20, null)]
    [InlineData(0, 0, 0, null)]
    [InlineData(20, 0, 20, null)]
    [InlineData(10, 10, 20, null)]
    [InlineData(9, 10, 20, "log-gap")]
    [InlineData(21, 0, 20, "log-truncated")]
    public void Progress_must_lie_within_the_log(long next, long start, long end, string? code) =>
        Assert.Equal(code, LogRules.CheckRange(Lane, next, new LogRange(start, end))?.Code);

    [Fact]
    public void A_broken_log_names_topic_partition_and_both_offsets()
    {
        var fault = LogRules.CheckRange(Lane, 9, new LogRange(12, 20))!;
        Assert.Equal(FaultKind.LogBroken, fault.Kind);
        Assert.Equal("Topic shop.public.orders partition 2 lost offsets 9 to 11 before they were applied: it starts at 12, progress stands at 9", fault.Message);
        Assert.NotEmpty(fault.Fix);
    }

    [Theory]
    [InlineData("c", "t", 4, null)]
    [InlineData("other", "t", 4, "cluster-changed")]
    [InlineData("c", "other", 4, "topic-recreated")]
    [InlineData("c", "t", 5, "partition-count-changed")]
    public void A_topic_must_stay_what_it_was(string cluster, string topic, int partitions, string? code) =>
        Assert.Equal(code, LogRules.CheckIdentity(Lane, new LogIdentity("c", "t", 4), new LogIdentity(cluster, topic, partitions))?.Code);

    [Fact]
    public void A_fault_stands_until_progress_is_past_its_record()
    {
        var trouble = new LaneTrouble(Lane, NullLogger.Instance);
        Assert.Equal((null, null), trouble.Current);
        Assert.Equal(1, trouble.Add(new Fault(FaultKind.Poison, "unknown-column", "x") { Offset = 7 }, 7));
        Assert.Equal(2, trouble.Add(new Fault(FaultKind.Poison, "unknown-column", "x") { Offset = 7 }, 7));
        trouble.MovedTo(7);
        Assert.Equal(LaneState.Halted, trouble.Current.State);
        Assert.Equal(7, trouble.SuspectOffset);
        trouble.MovedTo(8);
        Assert.Equal((null, null), trouble.Current);
        Assert.Equal(-1, trouble.SuspectOffset);
        Assert.Equal(1, trouble.Add(new Fault(FaultKind.Unreachable, "target-unreachable", "x"), -1));
        Assert.Equal(LaneState.Retrying, trouble.Current.State);
        trouble.MovedTo(0);
        Assert.Null(trouble.Current.Fault);
    }

    [Fact]
    public void A_queue_counts_the_bytes_it_holds_and_forgets_what_was_decoded()
    {
        var queue = new RecordQueue();
        var entry = LogEntry.Of(new LogRecord { Lane = Lane, Offset = 0, Value = new byte[1000], TimestampMs = 77 });
        queue.Add(entry);
        queue.Add(LogEntry.SkipTo(9));
        Assert.True(queue.Bytes >= 1000);
        Assert.False(queue.IsEmpty);
        Assert.Equal(77, queue.OldestTimestampMs);
        queue.Release(entry);
        queue.Release(LogEntry.SkipTo(9));
        Assert.Equal(0, queue.Bytes);
        Assert.True(queue.IsEmpty);
    }

    [Fact]
    public void Unknown_exceptions_are_defects_and_known_ones_keep_their_fault()
    {
        var fault = new Fault(FaultKind.Poison, "p", "m");
        Assert.Equal(fault with { Lane = Lane }, Faulted.From(new AggregateException(new FaultException(fault)), Lane));
        Assert.Equal(FaultKind.Internal, Faulted.From(new InvalidCastException("x"), Lane).Kind);
        Assert.Equal(FaultKind.Transient, Faulted.From(new OperationCanceledException(), Lane).Kind);
    }
}
