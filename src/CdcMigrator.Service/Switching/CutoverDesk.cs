using CdcMigrator.Connect.Templates;
using CdcMigrator.Cutover;
using CdcMigrator.Cutover.Predicting;
using CdcMigrator.Cutover.Routing;
using CdcMigrator.Cutover.Switching;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Connectors;
using CdcMigrator.Service.Runtime;

namespace CdcMigrator.Service.Switching;

/// <summary>Where attempts are asked for, called off and looked at. One at a time in this process; between processes the side's row decides.</summary>
internal sealed class CutoverDesk(MigrationDefinition definition, BothWays ways, Sides sides, Completion completion, TimeProvider time, ILogger log) : IDisposable
{
    private static readonly TimeSpan ConnectorPatience = TimeSpan.FromMinutes(1);
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
    public async Task<CutoverStatus> StatusAsync(CancellationToken cancellationToken)
    {
        var target = await Sides.AskAsync(() => sides.Target.ReadAsync(cancellationToken));
        FenceRecord? source = null;
        try
        {
            source = await Sides.AskAsync(() => sides.Source.ReadAsync(cancellationToken));
        }
        catch (FaultException) when (target is { CompletedAt: not null })
        {
            // Nobody needs it any more.
        }

        return CutoverStatus.Of(definition.Name, source, target, last, prediction, ways.BackFault ?? completion.Fault) with
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
        if (definition.Log.Kind == LogKind.Kafka)
        {
            ConnectorRegistration.Require(definition);
        }

        await WayBackChecks.RefuseBeforePreparingAsync(definition, sides, cancellationToken);
        await sides.PrepareAsync(cancellationToken);
        if (definition.Log.Kind == LogKind.Kafka)
        {
            await ConnectorRegistration.RunAsync(definition.TurnedRound(), new ConnectorTemplateOptions(), ConnectorPatience, text => RuntimeLog.WayBackPrepared(log, text), cancellationToken);
        }

        return await StatusAsync(cancellationToken);
    }

    /// <summary>Begins an attempt; it goes on behind the answer.</summary>
    /// <exception cref="FaultException">NotAllowed: another one is under way, the sides are not prepared, or the direction does not lead away from the open side.</exception>
    public async Task<CutoverStatus> StartAsync(MigrationDirection direction, bool rehearsal, string actor, CancellationToken cancellationToken)
    {
        var attempt = await NewAsync(direction, rehearsal, actor, cancellationToken);
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
    public async Task<CutoverPlan> PlanAsync(MigrationDirection direction, bool rehearsal, string actor, CancellationToken cancellationToken)
    {
        var attempt = await NewAsync(direction, rehearsal, actor, cancellationToken);
        await using var live = Live(direction);
        var recording = new RecordingCutover(live.PrepareAsync, token => sides.SequencesAsync(direction, token), definition, options, Hooks);
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

    private async Task<CutoverAttempt> NewAsync(MigrationDirection direction, bool rehearsal, string actor, CancellationToken cancellationToken)
    {
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

        var left = direction == MigrationDirection.Forward ? source : target;
        if (left.State != FenceState.Open)
        {
            throw new FaultException(
                FaultKind.NotAllowed, "not-open", $"Applications do not write to the {(direction == MigrationDirection.Forward ? "source" : "target")} now: it is {left.State.ToString().ToLowerInvariant()}",
                "'cdcm cutover status' shows both sides");
        }

        if (ways.BackFault is { } broken)
        {
            throw new FaultException(FaultKind.NotAllowed, "no-way-back", $"The way back does not run: {broken.Message}", $"{(broken.Fix.Length > 0 ? $"{broken.Fix}. " : "")}It is begun again by itself");
        }

        return new CutoverAttempt(Guid.CreateVersion7().ToString("N"), Math.Max(source.Epoch, target.Epoch) + 1, direction, actor, rehearsal);
    }

    /// <summary>Calls an attempt off, whichever process it is in: this one's at its next step, another one's by lifting its fence. Nothing behind the seal.</summary>
    /// <exception cref="FaultException">NotAllowed <c>nothing-to-abort</c>.</exception>
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
                : await StatusAsync(cancellationToken);
        }

        return await sides.LiftAsync(cancellationToken)
            ? await StatusAsync(cancellationToken)
            : throw new FaultException(FaultKind.NotAllowed, "nothing-to-abort", "No side is closed by an attempt that could be called off", "'cdcm cutover status' shows both sides; 'cdcm rollback' is the way back");
    }

    /// <summary>The process ends: what is closed is lifted.</summary>
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
