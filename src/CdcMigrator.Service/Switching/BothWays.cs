using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Faults;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Runtime;
using Npgsql;
using Prometheus;

namespace CdcMigrator.Service.Switching;

/// <summary>
/// A migration with its way back: the runtime of each direction, of which the databases let one write, the keeper that ends what a dead coordinator left, and the desk
/// where an attempt is asked for. The way back begins once both sides are prepared for it; a fault there never ends the way forward,
/// and it is begun again by itself.
/// </summary>
internal sealed class BothWays : IAsyncDisposable
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan UndoPause = TimeSpan.FromMilliseconds(50);

    /// <summary>What ran so long has not failed in a row.</summary>
    private static readonly TimeSpan SteadyTime = TimeSpan.FromMinutes(2);
    private readonly TimeProvider time;
    private readonly ILogger log;
    private readonly NpgsqlDataSource? source;
    private readonly NpgsqlDataSource? target;
    private volatile Fault? waysBackFault;

    /// <summary>Composes both; nothing connects before <see cref="RunAsync"/>.</summary>
    /// <param name="definition">The migration file.</param>
    /// <param name="forward">Its runtime.</param>
    /// <param name="registry">Where the metrics of the way back go.</param>
    /// <param name="time">Clock and timers.</param>
    /// <param name="loggers">Where to log.</param>
    public BothWays(MigrationDefinition definition, MigrationRuntime forward, CollectorRegistry registry, TimeProvider time, ILoggerFactory loggers)
    {
        this.time = time;
        Forward = forward;
        log = loggers.CreateLogger<BothWays>();
        if (definition.Source.Kind != SourceKind.PostgreSql)
        {
            return;
        }

        source = PostgresConnections.CreateControl(definition.Source.Connection);
        target = PostgresConnections.CreateControl(definition.Target.Connection);
        Back = new MigrationRuntime(definition.TurnedRound(), registry, time, loggers);
        Sides = new Sides(definition, source, target, time);
        Completion = new Completion(definition, Sides, time, log);
        Window = new WindowWatch(definition, Sides, forward.Window, time, log);
        Desk = new CutoverDesk(definition, this, Sides, Completion, time, log);
    }

    /// <summary>From the source of the migration file to its target.</summary>
    public MigrationRuntime Forward { get; }

    /// <summary>From the target back to the source; null where there is no way back.</summary>
    public MigrationRuntime? Back { get; }

    /// <summary>Both databases with their fences; null where the source cannot be fenced.</summary>
    public Sides? Sides { get; }

    /// <summary>Where attempts are asked for; null where the source cannot be fenced.</summary>
    public CutoverDesk? Desk { get; }

    /// <summary>Holes and foreign writes of closed sides; null where the source cannot be fenced.</summary>
    public WindowWatch? Window { get; }

    /// <summary>The end of the migration; null where the source cannot be fenced.</summary>
    public Completion? Completion { get; }

    /// <summary>What keeps the way back from running; null while it runs, or has not been prepared. It is begun again by itself, and this stays until it runs.</summary>
    public Fault? BackFault => Back?.Status().Phase == RuntimePhase.Running ? null : waysBackFault;

    /// <summary>The runtime of a direction.</summary>
    public MigrationRuntime Of(MigrationDirection direction) => direction == MigrationDirection.Forward ? Forward : Back!;

    /// <summary>
    /// Runs until cancelled, or until the way forward ends by a fault while no side needs this process. Once the migration was completed neither direction runs: what is left behind is taken away, and only what happened is still shown.
    /// </summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var beside = Back is null ? Task.CompletedTask : Task.WhenAll(
            KeepOnAsync("fence", new FenceKeeper(Sides!.Source, Sides.Target, Sides.Ended, time, log).RunAsync, ending.Token),
            KeepSidesAsync(ending.Token),
            RunBackAsync(ending.Token),
            WatchForCompletionAsync(ending));

        // At once, and not when the lanes have ended: an attempt that cannot succeed any more keeps nobody from writing until then.
        await using var told = stop.UnsafeRegister(static desk => ((CutoverDesk?)desk)?.Stop(), Desk);
        try
        {
            await RunForwardAsync(stop, ending.Token);
        }
        finally
        {
            await (Desk?.EndAsync() ?? Task.CompletedTask);
            await ending.CancelAsync();
            await beside.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }

        if (Completion is not null && Forward.IsCompleted && !stop.IsCancellationRequested)
        {
            await RestAsync(stop);
        }
    }

    /// <summary>Tells applications of each side where to write, and watches what is closed. Nothing here waits for both sides.</summary>
    private Task KeepSidesAsync(CancellationToken stop)
    {
        var routing = new RouteKeeping(Forward.Definition, Sides!, Desk!.Hooks, time, log);
        return Task.WhenAll(
        [
            .. Enum.GetValues<MigrationDirection>().Select(leaving => KeepOnAsync("hook", end => routing.RunAsync(leaving, end), stop)),
            .. new[] { Sides!.Source, Sides.Target }.Select(side => KeepOnAsync("fence", new FenceTidying(side, time, log).RunAsync, stop)),
            .. Window!.Each.Select(side => KeepOnAsync("window", side.RunAsync, stop)),
        ]);
    }

    /// <summary>Whatever ends what is kept beside the log, it is begun again: nobody would lift a dead coordinator's fence.</summary>
    private async Task KeepOnAsync(string what, Func<CancellationToken, Task> work, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                await work(stop);
                return;
            }
            catch (Exception exception) when (!stop.IsCancellationRequested)
            {
                RuntimeLog.SampleFailed(log, what, PostgresFaults.Classify(exception));
            }

            await Task.Delay(LookInterval, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>
    /// Runs the way forward. Its faults end the process, but not where they pass by themselves, and not while a side needs it: a fence whose attempt died is to be lifted, what the target commits to reach the source,
    /// whatever became of the source's log. Then it is begun again and again.
    /// </summary>
    private async Task RunForwardAsync(CancellationToken stop, CancellationToken ending)
    {
        for (var attempt = 1; ; attempt++)
        {
            var began = time.GetTimestamp();
            try
            {
                await Forward.RunAsync(ending);
                return;
            }
            catch (Exception exception) when (!ending.IsCancellationRequested)
            {
                var fault = PostgresFaults.Classify(exception);
                if (fault.Kind is not (FaultKind.Unreachable or FaultKind.Transient) && !await IsNeededAsync(stop))
                {
                    throw;
                }

                RuntimeLog.ForwardEnded(log, fault);
                attempt = time.GetElapsedTime(began) > SteadyTime ? 1 : attempt;
                await Task.Delay(RestartPause.After(fault.Kind, attempt), time, ending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (ending.IsCancellationRequested)
                {
                    return;
                }
            }
        }
    }

    /// <summary>Refuses what must not happen during an attempt, in whichever process it is. A side that does not answer says nothing of one.</summary>
    /// <exception cref="FaultException">NotAllowed <c>attempt-running</c>.</exception>
    public async Task RefuseDuringAttemptAsync(CancellationToken cancellationToken)
    {
        if (Desk is null)
        {
            return;
        }

        var isUnderWay = Desk.IsBusy;
        foreach (var side in new[] { Sides!.Source, Sides.Target })
        {
            try
            {
                isUnderWay |= await Sides.AskAsync(() => side.ReadAsync(cancellationToken)) is { State: FenceState.Closed } or { Held.Length: > 0, IsHoldOver: false };
            }
            catch (FaultException)
            {
                // Whoever attempts something does not reach it either.
            }
        }

        if (isUnderWay)
        {
            throw new FaultException(FaultKind.NotAllowed, "attempt-running", "An attempt is under way", "'cdcm cutover status' shows it, 'cdcm cutover abort' calls it off");
        }
    }

    /// <summary>
    /// Whether a pause that was made now came before the seal of an attempt that began meanwhile: such a one sees it and undoes itself, which is waited for. A side that does not answer says nothing of one.
    /// </summary>
    /// <param name="direction">What is paused.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<bool> CameInTimeAsync(MigrationDirection direction, CancellationToken cancellationToken)
    {
        try
        {
            FenceRecord? left = null;
            while (Sides is not null && (left = await Sides.AskAsync(() => Sides.Left(direction).ReadAsync(cancellationToken))) is { State: FenceState.Closed })
            {
                await Task.Delay(UndoPause, time, cancellationToken);
            }

            return left is not { State: FenceState.Sealed };
        }
        catch (FaultException)
        {
            return true;
        }
    }

    /// <summary>
    /// Whether a side needs this process without a way forward too: its fence is not as it is where applications write to the source and nobody attempts anything, or that is not known because it is away.
    /// A side that was never prepared, or that refuses the role, needs nothing that could be done.
    /// </summary>
    private async Task<bool> IsNeededAsync(CancellationToken cancellationToken)
    {
        if (Sides is null)
        {
            return false;
        }

        var (source, target) = (LookAsync(Sides.Source, cancellationToken), LookAsync(Sides.Target, cancellationToken));
        var (here, there) = (await source, await target);
        return here.Record is { State: not FenceState.Open } or { Held.Length: > 0 } || there.Record is { State: not FenceState.Sealed } or { NoReturn: true }
            || (here.IsAway && (there.IsAway || there.Record is not null)) || (there.IsAway && here.Record is not null);
    }

    private static async Task<(FenceRecord? Record, bool IsAway)> LookAsync(FencedSide side, CancellationToken cancellationToken)
    {
        try
        {
            return (await side.ReadAsync(cancellationToken), false);
        }
        catch (Exception exception)
        {
            return (null, PostgresFaults.Classify(exception).Kind is FaultKind.Unreachable or FaultKind.Transient);
        }
    }

    /// <summary>Nothing is applied any more; as long as the process runs it looks whether somebody writes to the side that was left.</summary>
    private async Task RestAsync(CancellationToken stop)
    {
        try
        {
            await Completion!.FinishAsync(stop);

            // Nobody carries over what somebody still writes to the source; and applications that could not be told where to write still must be.
            await KeepSidesAsync(stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to stop.
        }
    }

    /// <summary>Ends both directions once any process has completed the migration.</summary>
    private async Task WatchForCompletionAsync(CancellationTokenSource ending)
    {
        while (!ending.IsCancellationRequested)
        {
            try
            {
                if (await Completion!.IsDecidedAsync(ending.Token))
                {
                    Forward.Complete();
                    Back!.Complete();
                    await ending.CancelAsync();
                    return;
                }

                await Task.Delay(LookInterval, time, ending.Token);
            }
            catch (OperationCanceledException) when (ending.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception) when (exception is FaultException || PostgresFaults.IsOfServer(exception))
            {
                // The target is away: the keeper of fences says so.
                await Task.Delay(LookInterval, time, ending.Token).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        Desk?.Dispose();
        await (Back?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (source?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (target?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    /// <summary>Waits until the sides are prepared, then runs the way back. Where it ends by a fault that is shown, and it is begun again: soon where that may pass by itself, else once a minute, until a person has seen to it.</summary>
    private async Task RunBackAsync(CancellationToken stop)
    {
        try
        {
            while (!await IsPreparedAsync(stop))
            {
                await Task.Delay(LookInterval, time, stop);
            }

            RuntimeLog.WayBackBegins(log);
            for (var attempt = 1; !stop.IsCancellationRequested; attempt++)
            {
                var began = time.GetTimestamp();
                if (await RunBackOnceAsync(stop) is not { } fault)
                {
                    return;
                }

                attempt = time.GetElapsedTime(began) > SteadyTime ? 1 : attempt;
                if (waysBackFault?.ToString() != fault.ToString() || attempt == 1)
                {
                    RuntimeLog.WayBackEnded(log, fault);
                }

                waysBackFault = fault;
                await Task.Delay(RestartPause.After(fault.Kind, attempt), time, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to stop.
        }
    }

    /// <summary>One life of the way back; the fault it ended by, or null where it is over.</summary>
    private async Task<Fault?> RunBackOnceAsync(CancellationToken stop)
    {
        try
        {
            await Back!.RunAsync(stop);
            return null;
        }
        catch (FaultException exception)
        {
            return exception.Fault;
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !stop.IsCancellationRequested)
        {
            return PostgresFaults.Classify(exception);
        }
    }

    private async Task<bool> IsPreparedAsync(CancellationToken stop)
    {
        try
        {
            return await Sides!.Source.ReadAsync(stop) is not null && await Sides.Target.ReadAsync(stop) is not null;
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !stop.IsCancellationRequested)
        {
            return false;
        }
    }
}
