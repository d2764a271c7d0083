using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Log;
using CdcMigrator.Streaming.Inspection;
using Microsoft.Extensions.Logging;

namespace CdcMigrator.Streaming.Lanes;

/// <summary>What all lanes of a pipeline share.</summary>
internal sealed record LaneParts(
    StreamingOptions Options,
    Func<IRecordDecoder> Decoders,
    ILaneStore Store,
    ISchemaLoader? Schemas,
    Action<LaneId, long, FenceRow>? OnFence,
    LogInspector Inspector,
    StreamingMetrics Metrics,
    TimeProvider Time,
    ILogger Log);
