using Akka.Streams;
using Akka.Streams.Stage;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;

namespace CdcMigrator.Streaming.Lanes;

/// <summary>
/// Takes queued records and decodes them into batches. A batch closes when nothing is queued behind it, or when it is full; while the one before
/// is being applied it goes on filling. A record that cannot be decoded closes the batch in front of it and ends the stage, or is parked.
/// </summary>
internal sealed class BatchStage(LaneSession session, LaneParts parts) : GraphStage<SourceShape<LaneBatch>>
{
    /// <summary>Entries decoded in a row before other lanes and the writers get the thread.</summary>
    private const int Turn = 500;

    /// <summary>How long a batch waits for records the log is known to hold: behind the log, few large transactions are cheaper than many small ones.</summary>
    private static readonly TimeSpan MoreWait = TimeSpan.FromMilliseconds(50);

    /// <summary>Bounds a batch of records without changes, so that progress moves while they are skipped.</summary>
    private const int MostRecords = 50_000;

    private readonly Outlet<LaneBatch> batches = new("Batch.batches");

    public override SourceShape<LaneBatch> Shape => new(batches);

    protected override GraphStageLogic CreateLogic(Attributes inheritedAttributes) => new Logic(this, session, parts);

    private sealed class Logic : TimerGraphStageLogic
    {
        private readonly BatchStage stage;
        private readonly LaneSession session;
        private readonly LaneParts parts;
        private readonly Action<(LogEntry Entry, int Schema, Fault? Fault)> schemaArrived;
        private readonly Action recordsArrived;
        private const string MoreTimer = "more";
        private LaneBatch batch;
        private LogEntry? held;
        private bool closed;
        private bool loading;
        private bool ended;
        private bool waited;
        private long lastEmpty;

        public Logic(BatchStage stage, LaneSession session, LaneParts parts)
            : base(stage.Shape)
        {
            this.stage = stage;
            this.session = session;
            this.parts = parts;
            batch = session.OpenBatch(session.Writer.NextOffset);
            schemaArrived = GetAsyncCallback<(LogEntry Entry, int Schema, Fault? Fault)>(OnSchema);
            recordsArrived = GetAsyncCallback(Continue);
            SetHandler(stage.batches, onPull: Continue);
        }

        public override void PreStart()
        {
            session.Records.WakeWith(recordsArrived);
            Continue();
        }

        protected override void OnTimer(object timerKey)
        {
            if (timerKey is MoreTimer)
            {
                waited = true;
                Continue();
            }
            else if (IsAvailable(stage.batches) && batch.MovesProgress && !closed)
            {
                Emit();
                Continue();
            }
        }

        private void Take(LogEntry entry, int loadedSchema)
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
                Decode(entry, record, loadedSchema);
            }
            else
            {
                batch.Changes.SkipTo(entry.NextOffset);
                session.Decoded(entry, batch);
            }
        }

        private void Decode(LogEntry entry, LogRecord record, int loadedSchema)
        {
            try
            {
                var result = (session.Parking.Concerns(record) ? session.Parking.Take(record, batch.Changes) : null) ?? DecodeValues(record);
                if (result.Kind == DecodeKind.NeedsSchema)
                {
                    Load(entry, result.SchemaId, loadedSchema);
                    return;
                }

                if (result.Fence is { } fence)
                {
                    parts.OnFence?.Invoke(session.Id, record.Offset, fence);
                    batch.HasMarker |= !fence.Id.StartsWith("heartbeat", StringComparison.Ordinal);
                }

                TakeIn(entry, record, result.SourceTimestampMs);
            }
            catch (Exception e)
            {
                Refuse(entry, record, Faulted.From(e, session.Id), loadedSchema);
            }
        }

        private DecodeResult DecodeValues(LogRecord record) =>
            record.Size > parts.Options.MaxRecordBytes ? throw TooLarge(record) : session.Decoder.Decode(record, batch.Changes);

        private void TakeIn(LogEntry entry, LogRecord record, long sourceTimestampMs)
        {
            batch.OldestMs = batch.OldestMs > 0 ? batch.OldestMs : sourceTimestampMs > 0 ? sourceTimestampMs : record.TimestampMs;
            batch.Changes.TakeIn(record.Offset, sourceTimestampMs);
            session.Decoded(entry, batch);
            closed = batch.Changes.Changes.Count >= session.BatchChanges || batch.Changes.Bytes >= parts.Options.BatchBytes
                || batch.Changes.Records >= MostRecords || record.Offset == session.Suspect;
        }

        /// <summary>What decoding refuses is parked, if it may be; else the lane stops in front of it.</summary>
        private void Refuse(LogEntry entry, LogRecord record, Fault cause, int loadedSchema)
        {
            var fault = cause with { Lane = session.Id, Offset = cause.Offset ?? record.Offset };
            switch (session.Parking.TakeRefused(record, batch.Changes, fault))
            {
                case { Kind: DecodeKind.NeedsSchema } key when key.SchemaId != loadedSchema && parts.Schemas is not null:
                    Load(entry, key.SchemaId, loadedSchema);
                    break;
                case { Kind: DecodeKind.Parked }:
                    TakeIn(entry, record, 0);
                    parts.Metrics.DecodeFailed(session.Id);
                    break;
                default:
                    parts.Metrics.DecodeFailed(session.Id);
                    Close(fault);
                    break;
            }
        }

        /// <param name="entry">The record.</param>
        /// <param name="schemaId">The schema it needs.</param>
        /// <param name="loadedSchema">The one just loaded for it; 0 for none. Key and value have one each.</param>
        private void Load(LogEntry entry, int schemaId, int loadedSchema)
        {
            var again = schemaId == loadedSchema;
            if (again || parts.Schemas is not { } schemas)
            {
                throw new FaultException(
                    again ? FaultKind.Internal : FaultKind.Configuration,
                    again ? "schema-not-kept" : "schema-registry-missing",
                    $"The record needs schema {schemaId}" + (again ? ", which was loaded but is not known to the decoder" : ", and no schema registry is configured"),
                    again ? "" : "Set log.schemaRegistry in the migration file.");
            }

            loading = true;
            _ = LoadAsync();

            async Task LoadAsync()
            {
                try
                {
                    await schemas.LoadAsync(schemaId, session.Aborted).ConfigureAwait(false);
                    schemaArrived((entry, schemaId, null));
                }
                catch (Exception e)
                {
                    schemaArrived((entry, schemaId, Faulted.From(e, session.Id) with { Lane = session.Id, Offset = entry.Record!.Offset }));
                }
            }
        }

        private void OnSchema((LogEntry Entry, int Schema, Fault? Fault) arrival)
        {
            loading = false;
            if (arrival.Fault is { } fault)
            {
                Close(fault);
            }
            else if (!session.Records.Dropped)
            {
                Take(arrival.Entry, arrival.Schema);
            }

            Continue();
        }

        private void Close(Fault fault)
        {
            batch.Fault = fault;
            closed = true;
        }

        /// <summary>Decodes what is queued and hands batches on, until there is nothing to do, or others should have the thread.</summary>
        private void Continue()
        {
            for (var n = 0; !loading && !ended; n++)
            {
                if (session.Records.Dropped)
                {
                    End();
                }
                else if (IsAvailable(stage.batches) && (closed || (batch.MovesProgress && session.Records.IsEmpty && IsWorthATransaction() && !MoreIsComing())))
                {
                    Emit();
                }
                else if (closed || !session.Records.TryTake(out var entry))
                {
                    return;
                }
                else
                {
                    Take(entry, loadedSchema: 0);
                    if (n >= Turn)
                    {
                        recordsArrived();
                        return;
                    }
                }
            }
        }

        private void Emit()
        {
            lastEmpty = batch.Changes.Changes.Count == 0 ? parts.Time.GetTimestamp() : lastEmpty;
            var full = batch;
            if (full.Fault is not null)
            {
                Push(stage.batches, full);
                End();
                return;
            }

            batch = session.OpenBatch(full.Changes.NextOffset);
            closed = waited = false;
            session.BeginApply(full);
            Push(stage.batches, full);
            if (held is { } entry)
            {
                held = null;
                Take(entry, loadedSchema: 0);
            }
        }

        private void End()
        {
            ended = true;
            CompleteStage();
        }

        /// <summary>Records that the log is known to hold are waited for, for a moment. Markers never wait.</summary>
        private bool MoreIsComing()
        {
            if (waited || batch.HasMarker || session.Owner.KnownEnd <= batch.Changes.NextOffset)
            {
                return false;
            }

            if (!IsTimerActive(MoreTimer))
            {
                ScheduleOnce(MoreTimer, MoreWait);
            }

            return true;
        }

        /// <summary>Tombstones and heartbeats alone wait for company, or for their time.</summary>
        private bool IsWorthATransaction()
        {
            if (batch.Changes.Changes.Count > 0 || batch.Changes.Parked.Count > 0 || batch.HasMarker)
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
