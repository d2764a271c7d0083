using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Streaming.Lanes;

namespace CdcMigrator.Streaming.Consuming;

/// <summary>
/// Looks at the log again and again: topics that appear are consumed, and one that is not what it was halts its lanes (invariant A2). And at the target: progress that lies behind what was committed there
/// was lost with rows, and its lane goes on from it, though it may have nothing to apply and would not notice.
/// </summary>
internal sealed class LogWatch(LaneParts parts, PollLoop poll)
{
    private static readonly TimeSpan SoonInterval = TimeSpan.FromSeconds(1);
    private readonly HashSet<string> subscribed = new(StringComparer.Ordinal);
    private readonly HashSet<string> goneOnce = new(StringComparer.Ordinal);
    private volatile IReadOnlyList<string> missing = [];
    private volatile Fault? fault;

    /// <summary>Topics the broker did not have when it was last asked.</summary>
    public IReadOnlyList<string> MissingTopics => missing;

    /// <summary>Why it could not be asked; null while it answers.</summary>
    public Fault? Fault => fault;

    /// <summary>Until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await CheckAsync(cancellationToken).ConfigureAwait(false);
                fault = null;
                poll.BrokerAnswered();
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                var found = Faulted.From(e, default) with { Lane = null };
                if (fault?.Message != found.Message)
                {
                    StreamingLog.LogUnreachable(parts.Log, found);
                }

                fault = found;
            }

            var interval = missing.Count > 0 || fault is not null ? Min(SoonInterval, parts.Options.LogCheckInterval) : parts.Options.LogCheckInterval;
            await Task.Delay(interval, parts.Time, cancellationToken).ContinueWith(_ => { }, TaskScheduler.Default).ConfigureAwait(false);
        }
    }

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;

    private async Task CheckAsync(CancellationToken cancellationToken)
    {
        var log = await parts.Inspector.DescribeAsync([.. parts.Options.AllTopics], cancellationToken).ConfigureAwait(false);
        NoteMissing([.. log.Topics.Where(topic => !topic.Exists).Select(topic => topic.Name)]);
        var fresh = log.Topics.Where(topic => topic.Exists && subscribed.Add(topic.Name)).ToList();
        if (fresh.Count > 0)
        {
            poll.Subscribe([.. subscribed]);
        }

        foreach (var lane in poll.Lanes)
        {
            var topic = log.Topic(lane.Id.Topic);
            if (topic.Exists)
            {
                goneOnce.Remove(topic.Name);
                lane.Check(new LogIdentity(log.ClusterId, topic.TopicId, topic.Partitions));
            }
            else if (!goneOnce.Add(topic.Name))
            {
                // Said twice: a broker that has only just learnt of a topic may deny it once.
                lane.Check(now: null);
            }
        }

        await CheckProgressAsync(cancellationToken).ConfigureAwait(false);

        // Progress is read before the ends: ends only grow, so progress beyond one means that the log lost records.
        var committed = poll.Lanes.Where(lane => lane.NextOffset >= 0 && log.Topic(lane.Id.Topic).Exists).Select(lane => (Lane: lane, lane.NextOffset)).ToList();
        var ranges = await parts.Inspector.ReadRangesAsync([.. committed.Select(item => item.Lane.Id)], cancellationToken).ConfigureAwait(false);
        foreach (var (lane, nextOffset) in committed)
        {
            lane.Check(nextOffset, ranges[lane.Id]);
        }
    }

    /// <summary>What is remembered is read before the target is asked: it is noted behind each commit, so that the target never has less unless it lost some.</summary>
    private async Task CheckProgressAsync(CancellationToken cancellationToken)
    {
        var remembered = poll.Lanes.Where(lane => lane.NextOffset > 0).Select(lane => (Lane: lane, lane.NextOffset)).ToList();
        try
        {
            var rows = (await parts.Store.ReadProgressAsync(cancellationToken).ConfigureAwait(false)).ToDictionary(row => row.Lane);
            foreach (var (lane, nextOffset) in remembered)
            {
                lane.CheckProgress(nextOffset, rows.GetValueOrDefault(lane.Id));
            }
        }
        catch (FaultException)
        {
            // The target is away: lanes say so themselves.
        }
    }

    private void NoteMissing(IReadOnlyList<string> names)
    {
        if (names.Count > 0 && !names.SequenceEqual(missing))
        {
            StreamingLog.TopicsMissing(parts.Log, string.Join(", ", names));
        }

        missing = names;
    }
}
