using System.Collections.Concurrent;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Streaming.Lanes;
using Confluent.Kafka;

namespace CdcMigrator.Streaming.Consuming;

/// <summary>
/// The one thread that owns the consumer. It hands records to lanes and pauses partitions whose lane is full; it never waits for a lane,
/// but for a bounded time when partitions are revoked. Others leave notes (<see cref="Post"/>), which it takes up between two records.
/// </summary>
internal sealed class PollLoop : ILaneFeed
{
    private const int PollMs = 10;
    private static readonly TimeSpan TidyInterval = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan RebuildPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ReportInterval = TimeSpan.FromSeconds(1);
    private readonly LaneParts parts;
    private readonly Func<LaneId, ILaneFeed, Lane> newLane;
    private readonly ConcurrentQueue<Action<IConsumer<byte[]?, byte[]?>>> notes = new();
    private readonly Dictionary<TopicPartition, Lane> lanes = [];
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource stopSignal = new();
    private readonly GapCheck gaps;
    private readonly Intake intake;
    private IReadOnlyList<string> topics = [];
    private GroupProtocol protocol;
    private bool protocolIsFixed;
    private Error? fatal;
    private long tidiedAt;
    private long reportedAt;
    private volatile bool stopping;
    private volatile bool aborting;
    private volatile Lane[] current = [];
    private volatile Fault? fault;
    private long lastPollMs;

    public PollLoop(LaneParts parts, Func<LaneId, ILaneFeed, Lane> newLane)
    {
        this.parts = parts;
        this.newLane = newLane;
        gaps = new GapCheck(parts, Post);
        intake = new Intake(parts.Options);
    }

    /// <summary>Lanes assigned now. Any thread.</summary>
    public IReadOnlyList<Lane> Lanes => current;

    /// <summary>What the client last complained of, until it works again.</summary>
    public Fault? Fault => fault;

    public DateTimeOffset LastPollAt => DateTimeOffset.FromUnixTimeMilliseconds(Volatile.Read(ref lastPollMs));

    /// <exception cref="FaultException">Configuration: the client refuses its settings.</exception>
    public void Start()
    {
        protocolIsFixed = parts.Options.Client.TryGetValue(ClientSettings.GroupProtocolKey, out var wanted);
        protocol = string.Equals(wanted, "classic", StringComparison.OrdinalIgnoreCase) ? GroupProtocol.Classic : GroupProtocol.Consumer;
        var consumer = Build();
        Volatile.Write(ref lastPollMs, parts.Time.GetUtcNow().ToUnixTimeMilliseconds());
        new Thread(() => Run(consumer)) { IsBackground = true, Name = "cdcm-poll" }.Start();
    }

    /// <summary>Ends gracefully: batches in flight get their time, then the group is left.</summary>
    public Task StopAsync()
    {
        stopping = true;
        stopSignal.TrySetResult();
        return ended.Task;
    }

    /// <summary>Ends as a crash would: nothing is waited for, the group is not left.</summary>
    public Task AbortAsync()
    {
        aborting = true;
        return StopAsync();
    }

    /// <summary>Consumes these topics from now on. They should exist: a broker reports an unknown one as an error.</summary>
    public void Subscribe(IReadOnlyList<string> names) => Post(consumer =>
    {
        topics = names;
        StreamingLog.Consuming(parts.Log, names.Count, parts.Options.Group, protocol.ToString());
        consumer.Subscribe(names);
    });

    /// <summary>The broker answered someone else: it is reachable, though an idle client may not notice.</summary>
    public void BrokerAnswered()
    {
        if (fault is { Kind: FaultKind.Unreachable, Code: GroupErrors.BrokerDown })
        {
            fault = null;
        }
    }

    void ILaneFeed.Begin(LaneSession session) => Post(_ =>
    {
        if (lanes.TryGetValue(FetchControl.Partition(session.Id), out var lane) && lane == session.Owner)
        {
            lane.Feeding = session;
        }
        else
        {
            session.Records.Drop();
        }
    });

    void ILaneFeed.End(LaneSession session) => Post(consumer =>
    {
        if (session.Owner.Feeding == session)
        {
            session.Owner.Feeding = null;
            FetchControl.Pause(consumer, parts.Log, session.Id);
        }
    });

    private void Post(Action<IConsumer<byte[]?, byte[]?>> note) => notes.Enqueue(note);

    private void Run(IConsumer<byte[]?, byte[]?> first)
    {
        IConsumer<byte[]?, byte[]?>? consumer = first;
        while (!stopping)
        {
            try
            {
                consumer ??= Rebuild();
                Poll(consumer);
            }
            catch (Exception e)
            {
                StreamingLog.PollFailed(parts.Log, e);
                fault = Faulted.From(e, default) with { Lane = null };
                stopSignal.Task.Wait(RebuildPause);
            }

            if (!stopping && consumer is not null)
            {
                GiveUp([.. lanes.Keys], TimeSpan.Zero, consumer);
                consumer.Dispose();
                consumer = null;
            }
        }

        Leave(consumer);
        ended.SetResult();
    }

    private IConsumer<byte[]?, byte[]?> Rebuild()
    {
        var consumer = Build();
        if (topics.Count > 0)
        {
            consumer.Subscribe(topics);
        }

        return consumer;
    }

    /// <summary>Until the end is asked for, or the client can do no more.</summary>
    private void Poll(IConsumer<byte[]?, byte[]?> consumer)
    {
        while (!stopping && fatal is null)
        {
            while (notes.TryDequeue(out var note))
            {
                note(consumer);
            }

            Tidy(consumer);
            try
            {
                var result = consumer.Consume(PollMs);
                for (var i = 0; result is not null && !stopping; i++)
                {
                    Deliver(consumer, result);
                    result = i < 1000 && notes.IsEmpty ? consumer.Consume(0) : null;
                }
            }
            catch (ConsumeException e)
            {
                OnConsumeError(e);
            }

            Volatile.Write(ref lastPollMs, parts.Time.GetUtcNow().ToUnixTimeMilliseconds());
        }

        if (fatal is { } error && !stopping)
        {
            fatal = null;
            if (protocol == GroupProtocol.Consumer && !protocolIsFixed && GroupErrors.IsProtocolUnsupported(error))
            {
                StreamingLog.ClassicProtocol(parts.Log, error.Reason);
                protocol = GroupProtocol.Classic;
            }
        }
    }

    private void Deliver(IConsumer<byte[]?, byte[]?> consumer, ConsumeResult<byte[]?, byte[]?> result)
    {
        // Records of a lane that is not fed (claiming, halted) or is about to be sought were fetched before its pause: they come again.
        if (!lanes.TryGetValue(result.TopicPartition, out var lane) || lane.Feeding is not { TakesRecords: true } session)
        {
            return;
        }

        var offset = result.Offset.Value;
        if (result.IsPartitionEOF)
        {
            lane.NoteEnd(Math.Max(offset, lane.NextOffset));
            if (offset <= session.Offsets.Expected)
            {
                return;
            }
        }

        switch (session.Offsets.Judge(offset))
        {
            case OffsetVerdict.Stale:
                return;
            case OffsetVerdict.Verify:
                FetchControl.Pause(consumer, parts.Log, session.Id);
                gaps.Verify(session);
                return;
            case OffsetVerdict.TakeAfterGap:
                StreamingLog.GapProven(parts.Log, session.Id, session.Offsets.Expected, offset - 1);
                parts.Metrics.GapAccepted(session.Id, offset - session.Offsets.Expected);
                break;
        }

        fault = null;
        session.Verifications = 0;
        session.Offsets.MoveTo(result.IsPartitionEOF ? offset : offset + 1);
        FetchControl.NoteEnd(consumer, lane, session.Offsets.Expected);
        if (!intake.Take(session, result.IsPartitionEOF ? LogEntry.SkipTo(offset) : LogEntry.Of(Records.Read(session.Id, result))))
        {
            session.Paused = true;
            FetchControl.Pause(consumer, parts.Log, session.Id);
        }
    }

    /// <summary>Pauses new lanes, seeks and resumes those that are ready, and now and then reports.</summary>
    private void Tidy(IConsumer<byte[]?, byte[]?> consumer)
    {
        if (tidiedAt != 0 && parts.Time.GetElapsedTime(tidiedAt) < TidyInterval)
        {
            return;
        }

        tidiedAt = parts.Time.GetTimestamp();
        intake.Count(current);
        foreach (var lane in current)
        {
            if (!lane.SeenByPoll)
            {
                lane.SeenByPoll = FetchControl.Pause(consumer, parts.Log, lane.Id);
            }

            if (lane.Feeding is { } session)
            {
                if (session.Paused && intake.MayResume(session))
                {
                    session.Paused = false;
                    session.WantsSeek = true;
                }

                if (session.WantsSeek && !session.Verifying && !session.Paused)
                {
                    FetchControl.SeekAndResume(consumer, parts.Log, session);
                }
            }
        }

        if (reportedAt == 0 || parts.Time.GetElapsedTime(reportedAt) > ReportInterval)
        {
            reportedAt = parts.Time.GetTimestamp();
            foreach (var lane in current)
            {
                FetchControl.StoreHint(consumer, lane);
                parts.Metrics.Observe(lane.Status());
            }
        }
    }

    private IEnumerable<TopicPartitionOffset> OnAssigned(List<TopicPartition> partitions)
    {
        parts.Metrics.Rebalanced("assigned");
        StreamingLog.LanesAssigned(parts.Log, partitions.Count);
        foreach (var partition in partitions)
        {
            var lane = newLane(new LaneId(partition.Topic, partition.Partition.Value), this);
            lanes[partition] = lane;
            lane.Start();
        }

        current = [.. lanes.Values];
        fault = null;

        // Where to begin only the claim knows. Until then fetch from the end: an explicit place that is never out of range.
        return partitions.Select(partition => new TopicPartitionOffset(partition, Offset.End));
    }

    private void OnTaken(string kind, List<TopicPartitionOffset> partitions, TimeSpan wait, IConsumer<byte[]?, byte[]?> consumer)
    {
        parts.Metrics.Rebalanced(kind);
        GiveUp([.. partitions.Select(partition => partition.TopicPartition)], wait, consumer);
    }

    /// <summary>Lets lanes go; whatever is still in flight after the wait is cancelled, and the next owner's claim shuts it out in any case.</summary>
    private void GiveUp(IReadOnlyCollection<TopicPartition> partitions, TimeSpan wait, IConsumer<byte[]?, byte[]?> consumer)
    {
        var gone = new List<Lane>();
        foreach (var partition in partitions)
        {
            if (lanes.Remove(partition, out var lane))
            {
                gone.Add(lane);
                parts.Metrics.Forget(lane.Id);
            }
        }

        current = [.. lanes.Values];
        var done = Task.WhenAll(gone.Select(lane => lane.Close()));
        var inTime = wait > TimeSpan.Zero && done.Wait(wait);
        gone.ForEach(lane => lane.Abort());
        if (wait > TimeSpan.Zero)
        {
            gone.ForEach(lane => FetchControl.StoreHint(consumer, lane));
        }

        if (gone.Count > 0)
        {
            StreamingLog.LanesRevoked(parts.Log, gone.Count, inTime);
        }
    }

    private void Leave(IConsumer<byte[]?, byte[]?>? consumer)
    {
        if (consumer is null)
        {
            return;
        }

        var drained = lanes.Values.ToList();
        GiveUp([.. lanes.Keys], aborting ? TimeSpan.Zero : parts.Options.DrainTimeout, consumer);
        if (!aborting)
        {
            Task.WhenAll(drained.Select(lane => lane.Completion)).Wait(TimeSpan.FromSeconds(1));
            try
            {
                consumer.Close();
            }
            catch (KafkaException e)
            {
                StreamingLog.ClientMessage(parts.Log, $"close: {e.Error.Reason}");
            }
        }

        consumer.Dispose();
    }

    private void OnConsumeError(ConsumeException e)
    {
        if (e.Error.Code == ErrorCode.Local_AutoOffsetReset)
        {
            if (lanes.TryGetValue(e.ConsumerRecord.TopicPartition, out var lane) && lane.Feeding is { TakesRecords: true } session)
            {
                gaps.Verify(session);
            }
        }
        else
        {
            OnError(e.Error);
        }
    }

    private void OnError(Error error)
    {
        if (error.IsFatal)
        {
            fatal = error;
        }

        if (GroupErrors.FaultOf(error, parts.Options) is { } found && found != fault)
        {
            StreamingLog.ClientError(parts.Log, error.Code.ToString(), error.Reason);
            fault = found;
        }
    }

    private IConsumer<byte[]?, byte[]?> Build() => ClientSettings.Build(() =>
        new ConsumerBuilder<byte[]?, byte[]?>(ClientSettings.ForConsumer(parts.Options, protocol))
            .SetLogHandler((_, message) => StreamingLog.ClientMessage(parts.Log, message.Message))
            .SetErrorHandler((_, error) => OnError(error))
            .SetOffsetsCommittedHandler((_, committed) => parts.Metrics.OffsetsCommitted(committed.Offsets.Count))
            .SetPartitionsAssignedHandler((_, partitions) => OnAssigned(partitions))
            .SetPartitionsRevokedHandler((consumer, partitions) => OnTaken("revoked", partitions, parts.Options.RevokeTimeout, consumer))
            .SetPartitionsLostHandler((consumer, partitions) => OnTaken("lost", partitions, TimeSpan.Zero, consumer))
            .Build());
}
