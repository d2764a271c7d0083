using System.Runtime.InteropServices;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Status;
using CdcMigrator.Domain.Tables;
using Prometheus;

namespace CdcMigrator.Streaming;

/// <summary>Metrics of the data path. The constant label <c>migration</c> is the registry owner's to add.</summary>
public sealed class StreamingMetrics
{
    private static readonly string[] Partition = ["topic", "partition"];
    private readonly Gauge lagRecords;
    private readonly Gauge lagSeconds;
    private readonly Gauge paused;
    private readonly Counter consumed;
    private readonly Counter batches;
    private readonly Histogram batchChanges;
    private readonly Histogram applyDuration;
    private readonly Histogram endToEnd;
    private readonly Counter retries;
    private readonly Counter decodeFailures;
    private readonly Counter rebalances;
    private readonly Counter gaps;
    private readonly Counter commits;
    private readonly Counter deadLetters;

    /// <summary>Registers the metrics.</summary>
    public StreamingMetrics(IMetricFactory factory)
    {
        ArgumentNullException.ThrowIfNull(factory);
        lagRecords = factory.CreateGauge("cdcmigrator_consumer_lag_records", "Records between the lane's committed progress and the end of its partition.", Partition);
        lagSeconds = factory.CreateGauge(
            "cdcmigrator_apply_lag_seconds",
            "Age of the oldest change not applied yet, 0 when caught up. Source clock against this machine's.",
            Partition);
        paused = factory.CreateGauge("cdcmigrator_lane_paused", "1 while the partition is paused because the target is slower than the log.", Partition);
        consumed = factory.CreateCounter(
            "cdcmigrator_changes_consumed_total", "Changes decoded and handed to the target; repeated where a batch is retried.", ["table", "op"]);
        batches = factory.CreateCounter("cdcmigrator_apply_batches_total", "Batches handed to the target, by outcome.", ["topic", "outcome"]);
        batchChanges = factory.CreateHistogram(
            "cdcmigrator_apply_batch_changes", "Changes in a batch.", new HistogramConfiguration { Buckets = [0, 1, 5, 10, 50, 100, 500, 1000, 5000, 20000] });
        applyDuration = factory.CreateHistogram(
            "cdcmigrator_apply_duration_seconds",
            "Time one batch took in the target.",
            ["topic"],
            new HistogramConfiguration { Buckets = [.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10] });
        endToEnd = factory.CreateHistogram(
            "cdcmigrator_end_to_end_latency_seconds",
            "Commit in the source to commit in the target, streamed changes only. Source clock against this machine's.",
            ["topic"],
            new HistogramConfiguration { Buckets = [.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800] });
        retries = factory.CreateCounter("cdcmigrator_apply_retries_total", "Times a lane claimed anew after a fault, by the fault's code.", ["reason"]);
        decodeFailures = factory.CreateCounter("cdcmigrator_decode_failures_total", "Records that could not be decoded.", ["topic"]);
        rebalances = factory.CreateCounter("cdcmigrator_rebalances_total", "Assignments, revocations and losses of partitions.", ["kind"]);
        gaps = factory.CreateCounter("cdcmigrator_offset_gaps_total", "Offsets without a record that were proven to be control or aborted records.", Partition);
        commits = factory.CreateCounter("cdcmigrator_offsets_committed_total", "Group offsets committed; hints for lag tools, progress is in the target.");
        deadLetters = factory.CreateCounter("cdcmigrator_dead_letters_total", "Changes parked as dead letters: those that can never be applied, and later ones of their rows.", ["table", "code"]);
    }

    internal void Observe(LaneStatus lane)
    {
        var partition = Label(lane.Lane);
        lagRecords.WithLabels(lane.Lane.Topic, partition).Set(lane.LagRecords);
        lagSeconds.WithLabels(lane.Lane.Topic, partition).Set(lane.LagTime.TotalSeconds);
        paused.WithLabels(lane.Lane.Topic, partition).Set(lane.State == LaneState.Paused ? 1 : 0);
    }

    /// <summary>Takes a lane's gauges back: another process speaks for it now.</summary>
    internal void Forget(LaneId lane)
    {
        var partition = Label(lane);
        lagRecords.RemoveLabelled(lane.Topic, partition);
        lagSeconds.RemoveLabelled(lane.Topic, partition);
        paused.RemoveLabelled(lane.Topic, partition);
    }

    internal void Applying(ChangeBatch batch)
    {
        batchChanges.Observe(batch.Changes.Count);
        var counts = new Dictionary<(TableRoute Route, ChangeOperation Operation), int>();
        for (var i = 0; i < batch.Changes.Count; i++)
        {
            var change = batch.Changes[i];
            CollectionsMarshal.GetValueRefOrAddDefault(counts, (change.Route, change.Operation), out _)++;
        }

        foreach (var ((route, operation), count) in counts)
        {
            consumed.WithLabels(route.Source.ToString(), Name(operation)).Inc(count);
        }
    }

    internal void Applied(ChangeBatch batch, TimeSpan duration, DateTimeOffset now)
    {
        batches.WithLabels(batch.Lane.Topic, "committed").Inc();
        applyDuration.WithLabels(batch.Lane.Topic).Observe(duration.TotalSeconds);
        var latency = endToEnd.WithLabels(batch.Lane.Topic);
        for (int i = 0, run = 0; i < batch.Changes.Count; i++)
        {
            var time = StreamedAt(batch.Changes[i]);
            run++;
            if (i + 1 == batch.Changes.Count || StreamedAt(batch.Changes[i + 1]) != time)
            {
                if (time > 0)
                {
                    latency.Observe(Math.Max(0, (now.ToUnixTimeMilliseconds() - time) / 1000.0), run);
                }

                run = 0;
            }
        }
    }

    internal void Failed(LaneId lane, FaultKind kind) => batches.WithLabels(lane.Topic, kind == FaultKind.Fenced ? "fenced" : "failed").Inc();

    internal void Retried(string code) => retries.WithLabels(code).Inc();

    internal void DecodeFailed(LaneId lane) => decodeFailures.WithLabels(lane.Topic).Inc();

    internal void Parked(ParkedRecord record) => deadLetters.WithLabels(record.Key.Table, record.Code).Inc();

    internal void Rebalanced(string kind) => rebalances.WithLabels(kind).Inc();

    internal void GapAccepted(LaneId lane, long offsets) => gaps.WithLabels(lane.Topic, Label(lane)).Inc(offsets);

    internal void OffsetsCommitted(int partitions) => commits.Inc(partitions);

    private static string Label(LaneId lane) => lane.Partition.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static long StreamedAt(in Change change) => change.Operation == ChangeOperation.SnapshotRow ? 0 : change.SourceTimestampMs;

    private static string Name(ChangeOperation operation) => operation switch
    {
        ChangeOperation.SnapshotRow => "snapshot",
        ChangeOperation.Insert => "insert",
        ChangeOperation.Update => "update",
        ChangeOperation.Delete => "delete",
        _ => "truncate",
    };
}
