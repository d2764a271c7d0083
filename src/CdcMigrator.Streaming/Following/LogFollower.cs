using System.Collections.Concurrent;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Streaming.Consuming;
using CdcMigrator.Streaming.Inspection;
using CdcMigrator.Streaming.Lanes;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace CdcMigrator.Streaming.Following;

/// <summary>
/// Reads partitions beside the pipeline, from given offsets on and in no consumer group, and shows every record to an observer: each partition's in order, none twice
/// and none left out. What the broker no longer has is a fault that names the partition, never a silent gap. One thread owns the client, uses it alone and
/// closes it; all members may be called from any other.
/// </summary>
public sealed class LogFollower : IAsyncDisposable
{
    private const int PollMs = 20;
    private const int MostInARow = 1000;
    private static readonly TimeSpan QuestionTimeout = TimeSpan.FromSeconds(5);
    private readonly LogFollowerOptions options;
    private readonly Action<LogRecord, CancellationToken> observer;
    private readonly ILogger log;
    private readonly ConcurrentDictionary<LaneId, FollowedLane> lanes = new();
    private readonly ConcurrentQueue<FollowedLane> added = new();
    private readonly Reachings waiters = new();
    private readonly HashSet<FollowedLane> assigned = [];
    private readonly CancellationTokenSource stop = new();
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ManualResetEventSlim running = new(initialState: true);
    private readonly CancellationToken stopping;
    private volatile Fault? fault;
    private bool fatal;
    private long askedAt;

    private LogFollower(LogFollowerOptions options, Action<LogRecord, CancellationToken> observer, ILogger log)
    {
        this.options = options;
        this.observer = observer;
        this.log = log;
        stopping = stop.Token;
    }

    /// <summary>Next offset of each partition that is followed.</summary>
    public IReadOnlyDictionary<LaneId, long> Positions => lanes.ToDictionary(lane => lane.Key, lane => lane.Value.Position);

    /// <summary>What stands in the way: a partition that cannot be followed, a record its observer fails on, a broker that does not answer. Null where nothing does.</summary>
    public Fault? Fault => lanes.Values.Select(lane => lane.Broken).FirstOrDefault(broken => broken is not null) ?? fault
        ?? lanes.Values.Select(lane => lane.Trouble).FirstOrDefault(trouble => trouble is not null);

    /// <summary>
    /// Whether nothing is shown for now, to spare the machine. What was fetched stays; what is beyond the buffer is not fetched.
    /// </summary>
    public bool IsPaused
    {
        get => !running.IsSet;
        set
        {
            if (value)
            {
                running.Reset();
            }
            else
            {
                running.Set();
            }
        }
    }

    /// <summary>Starts with no partition followed.</summary>
    /// <param name="options">Where the log is.</param>
    /// <param name="observer">
    /// Is shown each record on the follower's thread. A record it throws on is shown again after a pause, and nothing else meanwhile. The token is cancelled when
    /// the follower ends.
    /// </param>
    /// <param name="logging">Where the client's messages go.</param>
    /// <exception cref="FaultException">Configuration: the client refuses its settings.</exception>
    public static LogFollower Start(LogFollowerOptions options, Action<LogRecord, CancellationToken> observer, ILoggerFactory logging)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(observer);
        var follower = new LogFollower(options, observer, logging.CreateLogger<LogFollower>());
        var consumer = follower.Build();
        new Thread(() => follower.Run(consumer)) { IsBackground = true, Name = "cdcm-follow" }.Start();
        return follower;
    }

    /// <summary>
    /// Follows these partitions too, each from its offset. One that is followed already stays where it is; one that is broken begins anew. The topics may
    /// be still to come.
    /// </summary>
    public void Follow(IReadOnlyDictionary<LaneId, long> from)
    {
        ArgumentNullException.ThrowIfNull(from);
        foreach (var (id, offset) in from)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(offset);
            var lane = new FollowedLane(id, offset);
            if (lanes.AddOrUpdate(id, lane, (_, known) => known.Broken is null ? known : lane) == lane)
            {
                added.Enqueue(lane);
            }
        }
    }

    /// <summary>Waits until everything below these offsets was shown.</summary>
    /// <exception cref="FaultException">LogBroken: a partition cannot be followed that far. Internal: it is not followed.</exception>
    /// <exception cref="OperationCanceledException">Given up, or the follower ended.</exception>
    public Task ReachAsync(IReadOnlyDictionary<LaneId, long> ends, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ends);
        var reaching = new Reaching(ends, cancellationToken);
        waiters.Add(reaching);
        if (ended.Task.IsCompleted)
        {
            reaching.Cancel();
        }

        return reaching.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Ends following. When it returns no record is shown any more and the client is closed. May be called twice.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!ended.Task.IsCompleted)
        {
            await stop.CancelAsync().ConfigureAwait(false);
        }

        await ended.Task.ConfigureAwait(false);
        stop.Dispose();
    }

    private void Run(IConsumer<byte[]?, byte[]?>? consumer)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                consumer ??= Build();
                Poll(consumer);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e)
            {
                StreamingLog.FollowerFailed(log, e);
                fault = Faulted.From(e, default) with { Lane = null };
            }

            // The client can do no more, or what it is in is not known: the next one begins where the partitions stand.
            consumer?.Dispose();
            consumer = null;
            fatal = false;
            assigned.Clear();
            foreach (var lane in lanes.Values)
            {
                added.Enqueue(lane);
            }

            stopping.WaitHandle.WaitOne(options.RetryInterval);
        }

        consumer?.Dispose();
        ended.SetResult();
        waiters.End(lanes);
    }

    private void Poll(IConsumer<byte[]?, byte[]?> consumer)
    {
        while (!fatal)
        {
            stopping.ThrowIfCancellationRequested();
            Assign(consumer);
            waiters.Look(lanes);
            AskWhetherBrokerIsBack(consumer);
            if (!running.IsSet)
            {
                running.Wait(PollMs, stopping);
                continue;
            }

            try
            {
                var result = consumer.Consume(PollMs);
                for (var i = 0; result is not null; i++)
                {
                    Take(consumer, result);
                    result = i < MostInARow && added.IsEmpty && running.IsSet ? consumer.Consume(0) : null;
                }
            }
            catch (ConsumeException e)
            {
                OnConsumeError(consumer, e);
            }
        }
    }

    private void Assign(IConsumer<byte[]?, byte[]?> consumer)
    {
        if (added.IsEmpty)
        {
            return;
        }

        var wanted = new List<TopicPartitionOffset>();
        while (added.TryDequeue(out var lane))
        {
            if (lanes.GetValueOrDefault(lane.Id) != lane || lane.Broken is not null || !assigned.Add(lane))
            {
                continue;
            }

            lane.Offsets.Sought();
            wanted.Add(lane.Next);
        }

        if (wanted.Count > 0)
        {
            consumer.IncrementalAssign(wanted);
        }
    }

    private void Take(IConsumer<byte[]?, byte[]?> consumer, ConsumeResult<byte[]?, byte[]?> result)
    {
        if (!lanes.TryGetValue(new LaneId(result.Topic, result.Partition.Value), out var lane) || lane.Broken is not null || !assigned.Contains(lane))
        {
            return;
        }

        fault = null;
        lane.Trouble = null;
        var offset = result.Offset.Value;
        if (result.IsPartitionEOF && offset <= lane.Position)
        {
            return;
        }

        switch (lane.Offsets.Judge(offset))
        {
            case OffsetVerdict.Stale:
                return;
            case OffsetVerdict.Verify:
                Prove(consumer, lane);
                return;
            case OffsetVerdict.TakeAfterGap:
                StreamingLog.GapProven(log, lane.Id, lane.Position, offset - 1);
                break;
        }

        if (!result.IsPartitionEOF)
        {
            Show(Records.Read(lane.Id, result));
        }

        lane.MoveTo(result.IsPartitionEOF ? offset : offset + 1);
    }

    /// <summary>Until the observer has taken it: a record passed over would be a change nobody knows of.</summary>
    private void Show(LogRecord record)
    {
        while (true)
        {
            stopping.ThrowIfCancellationRequested();
            try
            {
                observer(record, stopping);
                return;
            }
            catch (Exception e) when (!stopping.IsCancellationRequested)
            {
                var found = Faulted.From(e, record.Lane);
                if (found != fault)
                {
                    StreamingLog.ObserverFails(log, record.Lane, record.Offset, found);
                    fault = found;
                }

                stopping.WaitHandle.WaitOne(options.RetryInterval);
            }
        }
    }

    /// <summary>
    /// The partition starts behind the offset that comes next, or the client refused that offset. Where the broker still has it, it is read once more; else changes are
    /// gone that nobody saw.
    /// </summary>
    private void Prove(IConsumer<byte[]?, byte[]?> consumer, FollowedLane lane)
    {
        try
        {
            var offsets = consumer.QueryWatermarkOffsets(lane.Partition, QuestionTimeout);
            var range = new LogRange(offsets.Low.Value, offsets.High.Value);
            var broken = FollowRules.Check(lane.Id, lane.Position, range) ?? (lane.MayProve() ? null : FollowRules.Refused(lane.Id, lane.Position, range));
            if (broken is not null)
            {
                StreamingLog.FollowingEnds(log, lane.Id, broken);
                lane.Break(broken);
                assigned.Remove(lane);
                consumer.IncrementalUnassign([lane.Partition]);
                return;
            }
        }
        catch (KafkaException e) when (!e.Error.IsFatal)
        {
            // Asked again when the broker delivers again.
            OnError(e.Error);
            stopping.WaitHandle.WaitOne(options.RetryInterval);
        }

        // Not a seek: a partition whose offset was refused is not fetched any more, and only an assignment starts it.
        consumer.IncrementalUnassign([lane.Partition]);
        consumer.IncrementalAssign([lane.Next]);
        lane.Offsets.Sought();
    }

    /// <summary>An idle client does not notice that the broker answers again.</summary>
    private void AskWhetherBrokerIsBack(IConsumer<byte[]?, byte[]?> consumer)
    {
        if (fault is not { Code: GroupErrors.BrokerDown } || assigned.Count == 0 || (askedAt != 0 && TimeProvider.System.GetElapsedTime(askedAt) < options.RetryInterval))
        {
            return;
        }

        askedAt = TimeProvider.System.GetTimestamp();
        try
        {
            consumer.QueryWatermarkOffsets(assigned.First().Partition, options.RetryInterval);
            fault = null;
        }
        catch (KafkaException e)
        {
            StreamingLog.ClientMessage(log, $"the broker is away: {e.Error.Reason}");
        }
    }

    private void OnConsumeError(IConsumer<byte[]?, byte[]?> consumer, ConsumeException e)
    {
        var partition = e.ConsumerRecord.TopicPartition;
        if (e.Error.Code is ErrorCode.UnknownTopicOrPart or ErrorCode.Local_UnknownTopic or ErrorCode.Local_UnknownPartition)
        {
            foreach (var missing in lanes.Values.Where(missing => missing.Id.Topic == partition.Topic))
            {
                missing.Trouble = FollowRules.Missing(missing.Id);
            }

            return;
        }

        if (e.Error.Code != ErrorCode.Local_AutoOffsetReset)
        {
            OnError(e.Error);
            return;
        }

        if (lanes.TryGetValue(new LaneId(partition.Topic, partition.Partition.Value), out var lane) && lane.Broken is null && assigned.Contains(lane))
        {
            Prove(consumer, lane);
        }
    }

    private void OnError(Error error)
    {
        fatal |= error.IsFatal;
        if (GroupErrors.FaultOf(error, options.BootstrapServers, "(none)") is { } found && found != fault)
        {
            StreamingLog.ClientError(log, error.Code.ToString(), error.Reason);
            fault = found;
        }
    }

    private IConsumer<byte[]?, byte[]?> Build() => ClientSettings.Build(() =>
        new ConsumerBuilder<byte[]?, byte[]?>(ClientSettings.ForFollower(options))
            .SetLogHandler((_, message) => StreamingLog.ClientMessage(log, message.Message))
            .SetErrorHandler((_, error) => OnError(error))
            .Build());
}
