using Akka.Actor;
using Akka.Streams;
using Akka.Streams.Dsl;
using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Status;
using CdcMigrator.Streaming.Consuming;
using CdcMigrator.Streaming.Inspection;
using CdcMigrator.Streaming.Lanes;
using Microsoft.Extensions.Logging;

namespace CdcMigrator.Streaming;

/// <summary>
/// The data path of one process: consume, decode, batch, apply, acknowledge; one lane a partition. Several processes of one group share
/// the partitions. Ordered within a partition; effectively once, because progress is committed in the target with the data.
/// </summary>
public sealed class ApplyPipeline : IAsyncDisposable
{
    /// <summary>A stream that fails is told of by its lane, once.</summary>
    private const string QuietAkka = "akka { loglevel = OFF, stdout-loglevel = OFF, log-dead-letters = off }";
    private readonly LaneParts parts;
    private readonly PollLoop poll;
    private readonly LogWatch watch;
    private readonly SemaphoreSlim writers;
    private readonly CancellationTokenSource stopping = new();
    private readonly AppliedCounts applied = new();
    private ActorSystem? system;
    private IMaterializer? materializer;
    private Task watching = Task.CompletedTask;
    private Task? stopped;

    /// <summary>Composes the pipeline; nothing runs before <see cref="StartAsync"/>.</summary>
    /// <param name="options">The log and the limits.</param>
    /// <param name="decoders">Makes a decoder; called once a claim of a lane, as decoders are not thread-safe.</param>
    /// <param name="store">The target's progress and writers.</param>
    /// <param name="schemas">Loads Avro schemas; null where records carry none.</param>
    /// <param name="onFence">
    /// Told of every fence row in the order of its lane, when it is decoded: before it and what follows is applied. Told again where a batch is
    /// retried. A <see cref="FaultException"/> it throws stops the lane in front of that row.
    /// </param>
    /// <param name="metrics">Where to count.</param>
    /// <param name="time">Clock and timers.</param>
    /// <param name="logging">Where to log.</param>
    public ApplyPipeline(
        StreamingOptions options,
        Func<IRecordDecoder> decoders,
        ILaneStore store,
        ISchemaLoader? schemas,
        Action<LaneId, long, FenceRow>? onFence,
        StreamingMetrics metrics,
        TimeProvider time,
        ILoggerFactory logging)
    {
        ArgumentNullException.ThrowIfNull(options);
        var inspector = new LogInspector(options.BootstrapServers, options.Client, options.Incarnation);
        parts = new LaneParts(options, decoders, store, schemas, onFence, inspector, metrics, time, logging.CreateLogger<ApplyPipeline>());
        poll = new PollLoop(parts, (id, feed) => new Lane(id, parts, feed, StreamAsync));
        watch = new LogWatch(parts, poll);
        writers = new SemaphoreSlim(options.Writers);
    }

    /// <summary>Starts consuming. Returns before partitions are assigned; a broker that does not answer is waited for and shown in <see cref="Status"/>.</summary>
    /// <exception cref="FaultException">Configuration: the Kafka client refuses its settings.</exception>
    public Task StartAsync(CancellationToken cancellationToken = default)
    {
        poll.Start();
        system = ActorSystem.Create("cdcm", QuietAkka);
        materializer = system.Materializer();
        watching = watch.RunAsync(stopping.Token);
        return Task.CompletedTask;
    }

    /// <summary>One claim of a lane, from the poll thread's records to committed progress. Ends with the fault that stops it, or when the lane is given up.</summary>
    private Task StreamAsync(LaneSession lane) =>
        Source.FromGraph(new BatchStage(lane, parts))                           // decode, batch: goes on while a batch is applied
            .SelectAsync(1, batch => Task.Run(() => ApplyAsync(lane, batch)))   // apply: one at a time, in order
            .RunForeach(batch => Acknowledge(lane, batch), materializer);       // acknowledge, or stop with what decoding ran into

    private async Task<LaneBatch> ApplyAsync(LaneSession lane, LaneBatch batch)
    {
        if (!batch.MovesProgress)
        {
            return batch;
        }

        using var turn = await WriterTurn.TakeAsync(writers, lane.Closing).ConfigureAwait(false);
        try
        {
            var begun = parts.Time.GetTimestamp();
            parts.Metrics.Applying(batch.Changes);
            applied.Add(await lane.Writer.ApplyAsync(batch.Changes, turn, lane.Aborted).ConfigureAwait(false));
            parts.Metrics.Applied(batch.Changes, parts.Time.GetElapsedTime(begun), parts.Time.GetUtcNow());
            return batch;
        }
        catch (Exception e)
        {
            parts.Metrics.Failed(lane.Id, Faulted.From(e, lane.Id).Kind);
            throw;
        }
    }

    private void Acknowledge(LaneSession lane, LaneBatch batch)
    {
        StreamingLog.BatchCommitted(parts.Log, lane.Id, batch.Changes.FromOffset, batch.Changes.NextOffset, batch.Changes.Changes.Count);
        foreach (var parked in batch.Changes.Parked)
        {
            StreamingLog.Parked(parts.Log, lane.Id, parked.Record.Offset, parked.Key, parked.Code, parked.Message);
            parts.Metrics.Parked(parked);
        }

        lane.Owner.Acknowledge(batch);
        lane.EndApply(batch);
        if (batch.Fault is { } fault)
        {
            throw new FaultException(fault);
        }
    }

    /// <summary>The pipeline as it is now. Cheap, any thread.</summary>
    public PipelineStatus Status() => new()
    {
        Lanes = [.. poll.Lanes.Select(lane => lane.Status()).OrderBy(lane => lane.Lane.Topic, StringComparer.Ordinal).ThenBy(lane => lane.Lane.Partition)],
        Applied = applied.Total,
        MissingTopics = watch.MissingTopics,
        Fault = poll.Fault ?? watch.Fault,
        LastPollAt = poll.LastPollAt,
    };

    /// <summary>Makes a halted or retrying lane try again at once; all of them without argument. Lanes that run are not touched.</summary>
    public void Retry(LaneId? lane = null)
    {
        foreach (var waiting in poll.Lanes.Where(candidate => lane is null || candidate.Id == lane))
        {
            waiting.Retry();
        }
    }

    /// <summary>Has every lane claim anew, but the markers', for the migration was paused: those that have nothing to apply would not notice. Lanes that claim by themselves are not touched.</summary>
    /// <param name="why">What lanes say of it.</param>
    public void ClaimAgain(string why)
    {
        foreach (var lane in poll.Lanes.Where(lane => lane.Id.Topic != parts.Options.FenceTopic))
        {
            lane.ClaimAgain(why);
        }
    }

    /// <summary>Stops gracefully: no more polling, batches in flight get <see cref="StreamingOptions.DrainTimeout"/>, then the group is left. May be called twice.</summary>
    public Task StopAsync(CancellationToken cancellationToken = default) => (stopped ??= EndAsync(poll.StopAsync)).WaitAsync(cancellationToken);

    /// <summary>Ends without draining or leaving the group, as a crash would, unless <see cref="StopAsync"/> was called before.</summary>
    public async ValueTask DisposeAsync()
    {
        await (stopped ??= EndAsync(poll.AbortAsync)).ConfigureAwait(false);
        stopping.Dispose();
        writers.Dispose();
    }

    private async Task EndAsync(Func<Task> endPolling)
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        await watching.ConfigureAwait(false);
        await (system is null ? Task.CompletedTask : endPolling()).ConfigureAwait(false);
        await (system?.Terminate() ?? Task.CompletedTask).ConfigureAwait(false);
        parts.Inspector.Dispose();
    }
}
