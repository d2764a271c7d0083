using CdcMigrator.Connect.Templates;
using CdcMigrator.Cutover;
using CdcMigrator.Cutover.Predicting;
using CdcMigrator.Cutover.Routing;
using CdcMigrator.Cutover.Switching;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Connectors;
using CdcMigrator.Service.Runtime;

namespace CdcMigrator.Service.Switching;

/// <summary>Where attempts are asked for, called off and looked at. One at a time in this process; between processes the side's row decides.</summary>
internal sealed class CutoverDesk(MigrationDefinition definition, BothWays ways, Sides sides, Completion completion, TimeProvider time, ILogger log) : IDisposable
{
    private static readonly TimeSpan ConnectorPatience = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LetGoPause = TimeSpan.FromMilliseconds(50);
    private readonly CutoverOptions options = CutoverOptions.Of(definition);
    private readonly HookRunner runner = new();
    private readonly Lock gate = new();
    private readonly CancellationTokenSource ending = new();
    private CancellationTokenSource? abort;
    private CancellationTokenSource? leave;
    private Task running = Task.CompletedTask;
    private volatile CutoverReport? last;
    private volatile OutagePrediction? prediction;

    /// <summary>Whether an attempt of this process is under way.</summary>
    public bool IsBusy => !running.IsCompleted;

    /// <summary>What routes applications.</summary>
    public RoutingHooks Hooks => new(options.Route, runner, time);

    /// <summary>What is known now.</summary>
    /// <exception cref="FaultException">Unreachable: neither side answers.</exception>
    public async Task<CutoverStatus> StatusAsync(CancellationToken cancellationToken)
    {
        var (source, target, away) = await sides.ReadEachAsync(cancellationToken);

        // A source that nobody needs any more may be gone.
        return CutoverStatus.Of(definition.Name, source, target, last, prediction, ways.BackFault ?? completion.Fault, target is { CompletedAt: not null } ? null : away) with
        {
            Findings = [.. ways.Window!.Findings.Select(PreflightFinding.Of)],
        };
    }

    /// <summary>
    /// Ends the migration: neither direction goes on, in any process, and there is no way back. Returns once connectors, slots, publications and the target's fence are gone. May be repeated.
    /// </summary>
    /// <exception cref="FaultException">NotAllowed <c>not-over</c>: the target is not open, or the source not sealed. Or what could not be taken away yet: it is tried again, and the migration is over all the same.</exception>
    public async Task<CutoverStatus> CompleteAsync(string actor, CancellationToken cancellationToken)
    {
        await completion.DecideAsync(actor, cancellationToken);
        await completion.WaitAsync(cancellationToken);
        return await StatusAsync(cancellationToken);
    }

    /// <summary>Prepares both sides, and the connector of the way back. Idempotent; returns once the connector runs.</summary>
    /// <exception cref="FaultException">What stands in the way.</exception>
    public async Task<CutoverStatus> PrepareAsync(CancellationToken cancellationToken)
    {
        completion.Refuse((await sides.ReadAsync(cancellationToken)).Target);
        if (definition.Log.Kind == LogKind.Kafka && options.RequireReverse)
        {
            ConnectorRegistration.Require(definition);
        }

        await WayBackChecks.RefuseBeforePreparingAsync(definition, sides, cancellationToken);
        await sides.PrepareAsync(cancellationToken);
        if (definition.Log.Kind == LogKind.Kafka)
        {
            try
            {
                ConnectorRegistration.Require(definition);
                await ConnectorRegistration.RunAsync(definition.TurnedRound(), new ConnectorTemplateOptions(), ConnectorPatience, text => RuntimeLog.WayBackPrepared(log, text), cancellationToken);
            }
            catch (FaultException exception) when (!options.RequireReverse)
            {
                // Shown, and no reason against a cutover that goes without.
                return await StatusAsync(cancellationToken) with { WayBack = FaultReport.Of(exception.Fault) };
            }
        }

        return await StatusAsync(cancellationToken);
    }

    /// <summary>Begins an attempt; it goes on behind the answer.</summary>
    /// <exception cref="FaultException">NotAllowed: another one is under way, the sides are not prepared, the direction does not lead away from the open side, or the other one was left without a way back.</exception>
    public async Task<CutoverStatus> StartAsync(CutoverRequest request, CancellationToken cancellationToken)
    {
        var attempt = await NewAsync(request, cancellationToken);
        if (last is { Current: CutoverStep.Route } && !running.IsCompleted)
        {
            // Its hooks do not succeed: they are no reason not to go back. Another look goes on with them while its side stays open.
            await (leave?.CancelAsync() ?? Task.CompletedTask);
            await running.WaitAsync(cancellationToken);
        }

        lock (gate)
        {
            if (!running.IsCompleted)
            {
                throw new FaultException(FaultKind.NotAllowed, "attempt-running", $"An attempt of {last?.Attempt.Actor} is under way", "'cdcm cutover status' shows it");
            }

            abort?.Dispose();
            leave?.Dispose();
            (abort, leave) = (new CancellationTokenSource(), new CancellationTokenSource());
            last = new CutoverReport { Attempt = attempt };
            prediction = null;
            running = Task.Run(() => RunAsync(attempt, abort.Token, leave.Token), CancellationToken.None);
        }

        return await StatusAsync(cancellationToken);
    }

    /// <summary>What an attempt would do now: the same steps, of which only the first is done. Sends markers through both logs, and changes nothing else.</summary>
    /// <exception cref="FaultException">NotAllowed: the sides are not prepared, or the direction does not lead away from the open side.</exception>
    public async Task<CutoverPlan> PlanAsync(CutoverRequest request, CancellationToken cancellationToken)
    {
        var attempt = await NewAsync(request, cancellationToken);
        await using var live = Live(request.Direction);
        var recording = new RecordingCutover(live.PrepareAsync, token => sides.SequencesAsync(request.Direction, token), definition, options, Hooks);
        var report = await new CutoverRun(recording, options, time, static _ => { }).RunAsync(attempt, cancellationToken, ending.Token);
        return CutoverPlan.Of(definition.Name, report, recording.Would, live.Prediction);
    }

    /// <summary>What is known of an attempt that is over, and how to check it.</summary>
    /// <param name="token">The attempt; null for the last one that was done, or the last one where none was.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="FaultException">NotAllowed <c>no-evidence</c>: neither side's journal knows it.</exception>
    public Task<CutoverEvidence> EvidenceAsync(string? token, CancellationToken cancellationToken) => sides.ReadEvidenceAsync(token, cancellationToken);

    private LiveCutover Live(MigrationDirection direction) =>
        new(ways.Of(direction), ways.Of(direction == MigrationDirection.Forward ? MigrationDirection.Back : MigrationDirection.Forward), sides, options, Hooks, time);

    private async Task<CutoverAttempt> NewAsync(CutoverRequest request, CancellationToken cancellationToken)
    {
        var direction = request.Direction;
        var (source, target) = await sides.ReadAsync(cancellationToken);
        completion.Refuse(target);
        if (source is null || target is null)
        {
            throw new FaultException(FaultKind.NotAllowed, "not-prepared", "The sides are not prepared for a cutover", "'cdcm cutover prepare' does it; applications notice nothing");
        }

        if ((source.State, target.State) == (FenceState.Open, FenceState.Open))
        {
            throw FenceKeeper.TwoOpenSides();
        }

        var (left, taking, other) = direction == MigrationDirection.Forward ? (source, target, "target") : (target, source, "source");
        AttemptUnderWay.Refuse(left, other == "target" ? "source" : "target");
        if (left.State != FenceState.Open)
        {
            throw new FaultException(
                FaultKind.NotAllowed, "not-open", $"Applications do not write to the {(direction == MigrationDirection.Forward ? "source" : "target")} now: it is {left.State.ToString().ToLowerInvariant()}",
                "'cdcm cutover status' shows both sides");
        }

        NoWayBack.Refuse(taking, other);
        var way = options.ReturnOf(direction, request.NoReturn);
        if (ways.BackFault is { } broken && (direction == MigrationDirection.Back || way == ReturnWay.Required))
        {
            throw new FaultException(FaultKind.NotAllowed, NoWayBack.Code, $"The way back does not run: {broken.Message}", $"{(broken.Fix.Length > 0 ? $"{broken.Fix}. " : "")}It is begun again by itself");
        }

        return new CutoverAttempt(Guid.CreateVersion7().ToString("N"), Math.Max(source.Epoch, target.Epoch) + 1, direction, request.Actor, request.Rehearsal) { Return = way };
    }

    /// <summary>Calls an attempt off, whichever process it is in: this one's at its next step, another one's by ending its note that applications wait, or by lifting its fence. Nothing behind the seal.</summary>
    /// <exception cref="FaultException">
    /// NotAllowed <c>nothing-to-abort</c>. TimedOut <c>not-let-go</c>: it is called off, and applications wait yet. Unreachable: a database did not say how the attempt's last transaction ended.
    /// </exception>
    public async Task<CutoverStatus> AbortAsync(CancellationToken cancellationToken)
    {
        Task current;
        lock (gate)
        {
            current = running;
            abort?.Cancel();
        }

        if (!current.IsCompleted)
        {
            while (!current.IsCompleted && last is not { Current: CutoverStep.Open or CutoverStep.Route })
            {
                await Task.WhenAny(current, Task.Delay(TimeSpan.FromMilliseconds(50), time, cancellationToken));
                cancellationToken.ThrowIfCancellationRequested();
            }

            return last is { Phase: CutoverPhase.Done } or { Current: CutoverStep.Open or CutoverStep.Route }
                ? throw new FaultException(FaultKind.NotAllowed, "nothing-to-abort", "The attempt has left its side for good: it cannot be called off any more", "'cdcm rollback' is the way back")
                : last is { Phase: CutoverPhase.Unknown, Fault: { } unknown } ? throw new FaultException(unknown) : await StatusAsync(cancellationToken);
        }

        if (await sides.LiftAsync(cancellationToken))
        {
            return await StatusAsync(cancellationToken);
        }

        // One that makes applications wait may close its side in the moment it is called off.
        var off = await sides.CallOffAsync(Sides.OwnersTime, cancellationToken);
        if (off.Count == 0 || await sides.LiftAsync(cancellationToken))
        {
            return off.Count > 0 ? await StatusAsync(cancellationToken) : throw NothingToAbort();
        }

        foreach (var (side, token) in off)
        {
            await UntilLetGoAsync(side, token, cancellationToken);
        }

        return await StatusAsync(cancellationToken);
    }

    /// <summary>By its owner at once; where that is gone, by any process once its time is over.</summary>
    private async Task UntilLetGoAsync(FencedSide side, string token, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (await Sides.AskAsync(() => side.ReadAsync(cancellationToken)) is { } record && record.Held == token)
        {
            if (time.GetElapsedTime(began) > 2 * options.Lease)
            {
                throw new FaultException(
                    FaultKind.TimedOut, "not-let-go", $"Attempt {token} was called off and closes nothing any more, but applications that it made wait have not been let go yet", "Any running process whose file has the hooks does it; 'cdcm cutover status' shows whether it was done");
            }

            await Task.Delay(LetGoPause, time, cancellationToken);
        }
    }

    private static FaultException NothingToAbort() => new(
        FaultKind.NotAllowed, "nothing-to-abort",
        "No side is closed by an attempt, and none has applications made wait for one. An attempt that another process still prepares leaves no trace in the databases: it can be called off through that process, or by any once it has gone further",
        "'cdcm cutover status' shows both sides. Ask the process that prepares it (--server), or 'cdcm pause': no attempt closes a side then. 'cdcm rollback' is the way back from a cutover that was done");

    /// <summary>The process is about to end: an attempt is undone at once, or goes on opening behind its seal. Does not wait for that.</summary>
    public void Stop() => _ = ending.CancelAsync();

    /// <summary>The process ends: what is closed is lifted, what is sealed opened. Returns once that was done, or given up.</summary>
    public async Task EndAsync()
    {
        await ending.CancelAsync();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        runner.Dispose();
        ending.Dispose();
        abort?.Dispose();
        leave?.Dispose();
    }

    private async Task RunAsync(CutoverAttempt attempt, CancellationToken off, CancellationToken left)
    {
        await using var actions = Live(attempt.Direction);
        try
        {
            last = await new CutoverRun(actions, options, time, report =>
            {
                prediction = actions.Prediction;
                last = report;
                FailPoints.Pass(report);
            }).RunAsync(attempt, off, ending.Token, left);
        }
        catch (Exception exception) when (exception is not FaultException)
        {
            RuntimeLog.AttemptFailed(log, exception, attempt.Token);
            last = last! with
            {
                Phase = CutoverPhase.Unknown,
                Fault = new Fault(FaultKind.Internal, "attempt-failed", $"The attempt failed: {exception.Message}", "The fence is lifted when its lease ends, or the other side opened; 'cdcm cutover status' shows which"),
            };
        }
    }
}
