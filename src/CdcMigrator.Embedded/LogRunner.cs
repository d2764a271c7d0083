using CdcMigrator.Domain.Faults;
using CdcMigrator.Embedded.Publishing;
using CdcMigrator.Embedded.Replication;
using CdcMigrator.Embedded.State;
using Microsoft.Extensions.Logging;
using Npgsql.Replication;

namespace CdcMigrator.Embedded;

/// <summary>The two loops of an embedded log: one publishes and reconnects, one confirms what the target has committed.</summary>
internal sealed class LogRunner : IDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan ConfirmInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private readonly EmbeddedLogOptions options;
    private readonly LogState state;
    private readonly LogStateStore store;
    private readonly SourceCatalog catalog;
    private readonly IReadOnlyList<SourceTable> tables;
    private readonly FlowControl flow;
    private readonly SlotStream stream;
    private readonly SnapshotReader snapshot;
    private readonly ILogger logger;
    private readonly CancellationTokenSource stop = new();
    private ulong confirmed;
    private volatile EmbeddedLogPhase phase;
    private volatile Fault? sourceFault;
    private volatile Fault? targetFault;
    private volatile Fault? end;

    public LogRunner(
        EmbeddedLogOptions options, LogState state, LogStateStore store, SourceCatalog catalog, IReadOnlyList<SourceTable> tables,
        FlowControl flow, SlotStream stream, SnapshotReader snapshot, ILogger logger)
    {
        this.options = options;
        this.state = state;
        this.store = store;
        this.catalog = catalog;
        this.tables = tables;
        this.flow = flow;
        this.stream = stream;
        this.snapshot = snapshot;
        this.logger = logger;
        phase = state.Phase;
        confirmed = phase == EmbeddedLogPhase.Streaming ? 0 : state.ConfirmedLsn;
        stream.ActiveFrom = phase == EmbeddedLogPhase.Passive ? ulong.MaxValue : state.ActiveFrom;
    }

    /// <summary>Code of the fault that ends a life whose phase was changed from outside, by the transaction of a cutover: the next one begins in the new phase, from the slot.</summary>
    public const string Turned = "log-turned";

    /// <summary>The fault.</summary>
    public static FaultException HasTurned(string migration) =>
        new(FaultKind.NotAllowed, Turned, $"The embedded log of {migration} was turned by a cutover", "Nothing is wrong: it begins again from its slot");

    /// <summary>Durable phase.</summary>
    public EmbeddedLogPhase Phase => phase;

    /// <summary>What the slot was told.</summary>
    public ulong ConfirmedLsn => Volatile.Read(ref confirmed);

    /// <summary>What is wrong now.</summary>
    public Fault? Fault => end ?? sourceFault ?? targetFault;

    /// <summary>Whether the log has ended.</summary>
    public bool Stopped => end is not null;

    /// <summary>Runs both loops until cancelled, or until a fault that no retry mends.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await using var ending = cancellationToken.Register(() => stop.Cancel());
        await Task.WhenAll(EndingAsync(PublishAsync(stop.Token)), EndingAsync(ConfirmAsync(stop.Token)));
    }

    /// <inheritdoc />
    public void Dispose() => stop.Dispose();

    /// <summary>Publishes, durably, only what is committed from now on, or nothing.</summary>
    public async Task SetActiveAsync(bool active, CancellationToken cancellationToken)
    {
        var discards = !active && phase == EmbeddedLogPhase.Streaming;
        try
        {
            if (active && phase == EmbeddedLogPhase.Passive)
            {
                await UntilSlotIsMadeAsync(cancellationToken);
            }

            // A transaction that waits for lanes which apply no more would never end.
            flow.IsDiscarding = discards;
            await stream.AtBoundaryAsync(() => SetActiveAtBoundaryAsync(active, cancellationToken), cancellationToken);
            flow.IsDiscarding = false;
        }
        catch (Exception exception)
        {
            var fault = SourceFaults.Of(exception, state.Slot);
            if (discards)
            {
                // Some changes may be dropped already, and the target does not say so: only the next life, from the slot, publishes them.
                await EndAsync(fault with { Message = $"The log could not be made passive: {fault.Message}" }, exception);
            }

            if (exception is OperationCanceledException)
            {
                throw;
            }

            throw new FaultException(fault, exception);
        }
    }

    /// <summary>A slot that is still being made is listed already, but does not see what is committed meanwhile.</summary>
    private async Task UntilSlotIsMadeAsync(CancellationToken cancellationToken)
    {
        var started = options.Time.GetTimestamp();
        await using var source = await SourceSession.OpenAsync(options.SourceConnection, "embedded log", cancellationToken);
        while (await catalog.ReadSlotAsync(source, cancellationToken) is null or { ConfirmedLsn: 0 } or { IsLost: true })
        {
            if (options.Time.GetElapsedTime(started) > options.SlotWait)
            {
                throw new FaultException(FaultKind.Transient, "slot-missing", $"The slot {state.Slot} of the passive log of {options.Migration} is not made yet: it waits for open transactions",
                    "End old transactions in the database it reads");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), options.Time, cancellationToken);
        }
    }

    private async Task SetActiveAtBoundaryAsync(bool active, CancellationToken cancellationToken)
    {
        var wanted = active ? EmbeddedLogPhase.Streaming : EmbeddedLogPhase.Passive;
        if (phase == wanted)
        {
            return;
        }

        if (phase != EmbeddedLogPhase.Passive && phase != EmbeddedLogPhase.Streaming)
        {
            throw new FaultException(FaultKind.NotAllowed, "embedded-snapshot", $"The embedded log of {options.Migration} is still in its snapshot", "Wait until it streams");
        }

        // No transaction is being published: whatever was dropped so far was committed below this position.
        await using var source = await SourceSession.OpenAsync(options.SourceConnection, "embedded log", cancellationToken);
        var here = await SourceCatalog.CurrentLsnAsync(source, cancellationToken);
        await store.SetPhaseAsync(wanted, active ? Math.Max(here, ConfirmedLsn) : null, active ? here : 0, cancellationToken);
        phase = wanted;
        stream.ActiveFrom = active ? here : ulong.MaxValue;
        if (!active)
        {
            flow.Abandon();
        }

        logger.LogPhase(options.Migration, wanted, Domain.Changes.SourcePosition.Format(here));
    }

    private async Task EndingAsync(Task loop)
    {
        try
        {
            await loop;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to.
        }
        catch (Exception exception)
        {
            await EndAsync((exception as FaultException)?.Fault ?? new Fault(FaultKind.Internal, "embedded-log", $"The embedded log failed: {exception.Message}"), exception);
        }
        finally
        {
            await stop.CancelAsync();
        }
    }

    private Task EndAsync(Fault fault, Exception exception)
    {
        end ??= fault;
        logger.LogStopped(exception, options.Migration, fault.ToString());
        return stop.CancelAsync();
    }

    private async Task PublishAsync(CancellationToken cancellationToken)
    {
        var failures = 0;
        var startedOver = false;
        long? refusedSince = null;
        while (true)
        {
            try
            {
                if (phase == EmbeddedLogPhase.Snapshot)
                {
                    await SnapshotAsync(startedOver, () => startedOver = true, cancellationToken);
                }
                else if (phase == EmbeddedLogPhase.Passive)
                {
                    await EnsurePassiveSlotAsync(cancellationToken);
                }

                await stream.RunAsync(CheckAsync, ConfirmedLsn, cancellationToken);
                throw new FaultException(FaultKind.Unreachable, "source-unreachable", "The source ended the replication stream");
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                var fault = SourceFaults.Of(exception, state.Slot);
                if (fault.Kind is not (FaultKind.Unreachable or FaultKind.Transient))
                {
                    throw new FaultException(fault, exception);
                }

                var wasConnected = sourceFault is null;
                failures = wasConnected ? 1 : failures + 1;
                refusedSince = fault.Code != "slot-in-use" ? null : refusedSince ?? options.Time.GetTimestamp();
                if (refusedSince is { } since && options.Time.GetElapsedTime(since) > options.SlotWait)
                {
                    throw new FaultException(fault with { Kind = FaultKind.NotAllowed }, exception);
                }

                sourceFault = fault;
                logger.LogRetry(options.Migration, fault.ToString());
                var pause = TimeSpan.FromMilliseconds(Math.Min(LongestPause.TotalMilliseconds, 100 * Math.Pow(2, Math.Min(failures, 10))));
                await Task.Delay(pause, options.Time, cancellationToken);
            }
        }
    }

    private async Task SnapshotAsync(bool startOver, Action begun, CancellationToken cancellationToken)
    {
        if (startOver)
        {
            // What is in flight must be applied first: a row of the old snapshot must not arrive behind the clearing.
            logger.LogSnapshotRestart(options.Migration);
            await flow.WaitUntilAppliedAsync(null, cancellationToken);
            await store.RestartSnapshotAsync(state, [.. options.Tables.Select(table => table.Target)], [], shutLanesOut: false, cancellationToken);
        }

        begun();
        var consistentPoint = await snapshot.RunAsync(tables, cancellationToken);
        await flow.WaitUntilAppliedAsync(null, cancellationToken);
        await UntilTargetAnswersAsync(() => store.SetPhaseAsync(EmbeddedLogPhase.Streaming, consistentPoint, 0, cancellationToken), cancellationToken);
        Volatile.Write(ref confirmed, consistentPoint);
        phase = EmbeddedLogPhase.Streaming;
        logger.LogSnapshotDone(options.Migration, Domain.Changes.SourcePosition.Format(consistentPoint));
    }

    /// <summary>For writes that may be repeated: a lost answer must not undo what it followed.</summary>
    private async Task UntilTargetAnswersAsync(Func<Task> write, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await write();
                return;
            }
            catch (FaultException exception) when (exception.Fault.Kind is FaultKind.Unreachable or FaultKind.Transient)
            {
                targetFault = exception.Fault;
                logger.LogRetry(options.Migration, exception.Fault.ToString());
                await Task.Delay(TimeSpan.FromMilliseconds(500), options.Time, cancellationToken);
            }
        }
    }

    private async Task EnsurePassiveSlotAsync(CancellationToken cancellationToken)
    {
        await using var source = await SourceSession.OpenAsync(options.SourceConnection, "embedded log", cancellationToken);
        if (await catalog.ReadSlotAsync(source, cancellationToken) is { IsLost: false })
        {
            return;
        }

        await catalog.DropSlotAsync(source, cancellationToken);
        await using var session = new LogicalReplicationConnection(SourceSession.Pin(options.SourceConnection, "embedded log"));
        await session.Open(cancellationToken);
        await session.CreatePgOutputReplicationSlot(state.Slot, slotSnapshotInitMode: LogicalSlotSnapshotInitMode.NoExport, cancellationToken: cancellationToken);
        logger.LogPassiveSlot(state.Slot, options.Migration);
    }

    private async Task CheckAsync(ReplicationSystemIdentification system)
    {
        SourceLineage.Check(state, system.SystemId, system.Timeline);
        await using var source = await SourceSession.OpenAsync(options.SourceConnection, "embedded log", CancellationToken.None);
        var slot = await catalog.ReadSlotAsync(source, CancellationToken.None);
        if (phase == EmbeddedLogPhase.Streaming)
        {
            var durable = await store.LoadAsync(CancellationToken.None);
            SourceLineage.CheckSlot(state.Slot, slot, durable?.ConfirmedLsn ?? 0);
        }

        Volatile.Write(ref confirmed, Math.Max(ConfirmedLsn, slot?.ConfirmedLsn ?? 0));
        logger.LogConnected(state.Slot, Domain.Changes.SourcePosition.Format(slot?.ConfirmedLsn ?? 0));
    }

    private async Task ConfirmAsync(CancellationToken cancellationToken)
    {
        var lastConfirm = 0L;
        var lastLook = options.Time.GetTimestamp();
        while (true)
        {
            await Task.Delay(Tick, options.Time, cancellationToken);
            if (stream.IsConnected)
            {
                sourceFault = null;
            }

            try
            {
                if (phase != EmbeddedLogPhase.Snapshot && options.Time.GetElapsedTime(lastLook) >= LookInterval)
                {
                    lastLook = options.Time.GetTimestamp();
                    var durable = phase;
                    if (await store.LoadAsync(cancellationToken) is { } now && now.Phase != durable && now.Incarnation == state.Incarnation && phase == durable)
                    {
                        throw HasTurned(options.Migration);
                    }
                }

                stream.NoteIdle();
                if (flow.IsWaiting)
                {
                    flow.Apply(await options.ReadProgress(cancellationToken));
                }

                var lsn = flow.Confirmable;
                if (lsn > ConfirmedLsn && stream.IsConnected && (lastConfirm == 0 || options.Time.GetElapsedTime(lastConfirm) >= ConfirmInterval))
                {
                    // Written down before the slot hears it: a slot that knows more than this database is not ours any more.
                    await store.ConfirmAsync(lsn, phase, cancellationToken);
                    Volatile.Write(ref confirmed, lsn);
                    lastConfirm = options.Time.GetTimestamp();
                    await stream.ConfirmAsync(lsn, cancellationToken);
                }

                targetFault = null;
            }
            catch (FaultException exception) when (exception.Fault.Kind is not (FaultKind.Unreachable or FaultKind.Transient))
            {
                throw;
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                var fault = (exception as FaultException)?.Fault ?? new Fault(FaultKind.Unreachable, "target-unreachable", $"Progress cannot be read or confirmed: {exception.Message}");
                if (targetFault != fault)
                {
                    logger.LogRetry(options.Migration, fault.ToString());
                }

                targetFault = fault;
                await Task.Delay(TimeSpan.FromMilliseconds(200), options.Time, cancellationToken);
            }
        }
    }
}
