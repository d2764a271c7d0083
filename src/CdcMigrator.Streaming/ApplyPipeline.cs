using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Status;
using Microsoft.Extensions.Logging;

namespace CdcMigrator.Streaming;

/// <summary>
/// The data path of one process: consume, decode, batch, apply, acknowledge; one lane a partition. Several processes of one group share
/// the partitions. Ordered within a partition; effectively once, because progress is committed in the target with the data.
/// </summary>
public sealed class ApplyPipeline : IAsyncDisposable
{
    /// <summary>Composes the pipeline; nothing runs before <see cref="StartAsync"/>.</summary>
    /// <param name="options">The log and the limits.</param>
    /// <param name="decoders">Makes a decoder; called once a claim of a lane, as decoders are not thread-safe.</param>
    /// <param name="store">The target's progress and writers.</param>
    /// <param name="schemas">Loads Avro schemas; null where records carry none.</param>
    /// <param name="onFence">
    /// Told of every fence row in the order of its lane, when it is decoded: before it and what follows is applied. Told again where a batch is
    /// retried. A <see cref="Domain.Faults.FaultException"/> it throws stops the lane in front of that row.
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
    }

    /// <summary>Starts consuming. Returns before partitions are assigned; a broker that does not answer is waited for and shown in <see cref="Status"/>.</summary>
    /// <exception cref="Domain.Faults.FaultException">Configuration: the Kafka client refuses its settings.</exception>
    public Task StartAsync(CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Stops gracefully: no more polling, batches in flight get <see cref="StreamingOptions.DrainTimeout"/>, then the group is left. May be called twice.</summary>
    public Task StopAsync(CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>The pipeline as it is now. Cheap, any thread.</summary>
    public PipelineStatus Status() => throw new NotImplementedException();

    /// <summary>Makes a halted or retrying lane try again at once; all of them without argument. Lanes that run are not touched.</summary>
    public void Retry(LaneId? lane = null) => throw new NotImplementedException();

    /// <summary>Ends without draining or leaving the group, as a crash would, unless <see cref="StopAsync"/> was called before.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
