using Akka.Streams;
using Akka.Streams.Stage;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;

namespace CdcMigrator.Streaming.Lanes;

/// <summary>
/// Decodes records into batches. A batch closes when nothing is queued behind it, or when it is full; while the one before is being applied it
/// goes on filling. A record that cannot be decoded closes the batch in front of it and ends the stage.
/// </summary>
internal sealed class BatchStage(LaneSession session, LaneParts parts) : GraphStage<FlowShape<LogEntry, LaneBatch>>
{
    /// <summary>Bounds a batch of records without changes, so that progress moves while they are skipped.</summary>
    private const int MostRecords = 50_000;

    private readonly Inlet<LogEntry> entries = new("Batch.entries");
    private readonly Outlet<LaneBatch> batches = new("Batch.batches");

    public override FlowShape<LogEntry, LaneBatch> Shape => new(entries, batches);

    protected override GraphStageLogic CreateLogic(Attributes inheritedAttributes) => new Logic(this, session, parts);

    private sealed class Logic : TimerGraphStageLogic
    {
        private readonly BatchStage stage;
        private readonly LaneSession session;
        private readonly LaneParts parts;
        private readonly Action<(LogEntry Entry, Fault? Fault)> schemaArrived;
        private LaneBatch batch;
        private LogEntry? held;
        private bool closed;
        private bool loading;
        private long lastEmpty;

        public Logic(BatchStage stage, LaneSession session, LaneParts parts)
            : base(stage.Shape)
        {
            this.stage = stage;
            this.session = session;
            this.parts = parts;
            batch = session.OpenBatch(session.Writer.NextOffset);
            schemaArrived = GetAsyncCallback<(LogEntry Entry, Fault? Fault)>(OnSchema);
            SetHandler(stage.entries, onPush: OnPush, onUpstreamFinish: CompleteStage);
            SetHandler(stage.batches, onPull: OnPull);
        }

        protected override void OnTimer(object timerKey)
        {
            if (IsAvailable(stage.batches) && batch.MovesProgress && !closed)
            {
                Emit();
            }
        }

        private void OnPull()
        {
            if (session.Records.Dropped)
            {
                CompleteStage();
            }
            else if (!loading)
            {
                Continue();
            }
        }

        private void OnPush()
        {
            var entry = Grab(stage.entries);
            if (session.Records.Dropped)
            {
                CompleteStage();
            }
            else
            {
                Take(entry, schemaLoaded: false);
            }
        }

        private void Take(LogEntry entry, bool schemaLoaded)
        {
            if (entry.Record is { } suspect && session.Suspect >= 0 && suspect.Offset == session.Suspect && batch.MovesProgress)
            {
                held = entry;
                closed = true;
            }
            else if (entry.Fault is { } fault)
            {
                Close(fault);
            }
            else if (entry.Record is { } record)
            {
                Decode(entry, record, schemaLoaded);
            }
            else
            {
                batch.Changes.SkipTo(entry.NextOffset);
                session.Records.Release(entry);
            }

            if (!loading)
            {
                Continue();
            }
        }

        private void Decode(LogEntry entry, LogRecord record, bool schemaLoaded)
        {
            try
            {
                if (record.Size > parts.Options.MaxRecordBytes)
                {
                    throw TooLarge(record);
                }

                var result = session.Decoder.Decode(record, batch.Changes);
                if (result.Kind == DecodeKind.NeedsSchema)
                {
                    Load(entry, result.SchemaId, schemaLoaded);
                    return;
                }

                if (result.Fence is { } fence)
                {
                    parts.OnFence?.Invoke(session.Id, record.Offset, fence);
                    batch.HasMarker |= !fence.Id.StartsWith("heartbeat", StringComparison.Ordinal);
                }

                batch.OldestMs = batch.OldestMs > 0 ? batch.OldestMs : result.SourceTimestampMs > 0 ? result.SourceTimestampMs : record.TimestampMs;
                batch.Changes.TakeIn(record.Offset, result.SourceTimestampMs);
                session.Records.Release(entry);
                closed = batch.Changes.Changes.Count >= session.BatchChanges || batch.Changes.Bytes >= parts.Options.BatchBytes
                    || batch.Changes.Records >= MostRecords || record.Offset == session.Suspect;
            }
            catch (Exception e)
            {
                var fault = Faulted.From(e, session.Id);
                parts.Metrics.DecodeFailed(session.Id);
                Close(fault with { Lane = session.Id, Offset = fault.Offset ?? record.Offset });
            }
        }

        private void Load(LogEntry entry, int schemaId, bool schemaLoaded)
        {
            if (schemaLoaded || parts.Schemas is not { } schemas)
            {
                throw new FaultException(
                    schemaLoaded ? FaultKind.Internal : FaultKind.Configuration,
                    schemaLoaded ? "schema-not-kept" : "schema-registry-missing",
                    $"The record needs schema {schemaId}" + (schemaLoaded ? ", which was loaded but is not known to the decoder" : ", and no schema registry is configured"),
                    schemaLoaded ? "" : "Set log.schemaRegistry in the migration file.");
            }

            loading = true;
            _ = LoadAsync();

            async Task LoadAsync()
            {
                try
                {
                    await schemas.LoadAsync(schemaId, session.Aborted).ConfigureAwait(false);
                    schemaArrived((entry, null));
                }
                catch (Exception e)
                {
                    schemaArrived((entry, Faulted.From(e, session.Id) with { Lane = session.Id, Offset = entry.Record!.Offset }));
                }
            }
        }

        private void OnSchema((LogEntry Entry, Fault? Fault) arrival)
        {
            loading = false;
            if (session.Records.Dropped)
            {
                CompleteStage();
            }
            else if (arrival.Fault is { } fault)
            {
                Close(fault);
                Continue();
            }
            else
            {
                Take(arrival.Entry, schemaLoaded: true);
            }
        }

        private void Close(Fault fault)
        {
            batch.Fault = fault;
            closed = true;
        }

        /// <summary>Hands the batch on, waits for demand, or asks for more.</summary>
        private void Continue()
        {
            if (closed || (batch.MovesProgress && session.Records.IsEmpty && IsWorthATransaction()))
            {
                if (IsAvailable(stage.batches))
                {
                    Emit();
                }
                else if (!closed)
                {
                    PullMore();
                }
            }
            else
            {
                PullMore();
            }
        }

        private void Emit()
        {
            lastEmpty = batch.Changes.Changes.Count == 0 ? parts.Time.GetTimestamp() : lastEmpty;
            var full = batch;
            if (full.Fault is not null)
            {
                Push(stage.batches, full);
                CompleteStage();
                return;
            }

            batch = session.OpenBatch(full.Changes.NextOffset);
            closed = false;
            session.BeginApply(full);
            Push(stage.batches, full);
            if (held is { } entry)
            {
                held = null;
                Take(entry, schemaLoaded: false);
            }
            else
            {
                PullMore();
            }
        }

        private void PullMore()
        {
            if (!HasBeenPulled(stage.entries) && !IsClosed(stage.entries))
            {
                Pull(stage.entries);
            }
        }

        /// <summary>Tombstones and heartbeats alone wait for company, or for their time.</summary>
        private bool IsWorthATransaction()
        {
            if (batch.Changes.Changes.Count > 0 || batch.HasMarker)
            {
                return true;
            }

            var wait = lastEmpty == 0 ? TimeSpan.Zero : parts.Options.EmptyBatchInterval - parts.Time.GetElapsedTime(lastEmpty);
            if (wait <= TimeSpan.Zero)
            {
                return true;
            }

            if (!IsTimerActive("empty"))
            {
                ScheduleOnce("empty", wait);
            }

            return false;
        }

        private FaultException TooLarge(LogRecord record) => new(
            FaultKind.Poison,
            "record-too-large",
            $"The record holds {record.Size} bytes, more than apply.maxRecordBytes ({parts.Options.MaxRecordBytes})",
            "Raise apply.maxRecordBytes in the migration file and restart.");
    }
}
