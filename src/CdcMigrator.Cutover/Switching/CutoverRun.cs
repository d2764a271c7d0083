using CdcMigrator.Cutover.Draining;
using CdcMigrator.Cutover.Routing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;

namespace CdcMigrator.Cutover.Switching;

/// <summary>
/// One attempt, from its first look to its end: refused, undone or done. Before the seal whatever fails, takes too long or is called off lifts the fence; a process that dies
/// is undone by the lease. Behind the seal it only goes forward, in this process or another. What decides is in the databases: an answer that was lost is read there, never guessed.
/// </summary>
/// <param name="actions">What is done.</param>
/// <param name="options">What it goes by.</param>
/// <param name="time">Clock.</param>
/// <param name="report">Told of every change; from the attempt's own task.</param>
public sealed class CutoverRun(ICutoverActions actions, CutoverOptions options, TimeProvider time, Action<CutoverReport> report)
{
    private const string FenceTaken = "fence-taken";

    /// <summary>For the answer of a step that ends by itself at its deadline, and says more of it than that it was late.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(100);
    private CutoverReport now = null!;
    private long closing;
    private volatile bool lost;

    /// <summary>Runs the attempt to its end.</summary>
    /// <param name="attempt">Which.</param>
    /// <param name="abort">Calls it off while that can be done; behind the seal it changes nothing.</param>
    /// <param name="stop">The process ends. What is closed is lifted as for <paramref name="abort"/>; what is sealed is left to whoever lives.</param>
    /// <param name="leave">Gives the hooks behind the opening up: another process goes on with them.</param>
    public async Task<CutoverReport> RunAsync(CutoverAttempt attempt, CancellationToken abort, CancellationToken stop, CancellationToken leave = default)
    {
        now = new CutoverReport { Attempt = attempt };
        using var until = CancellationTokenSource.CreateLinkedTokenSource(abort, stop);
        try
        {
            await StepAsync(CutoverStep.Prepare, options.Deadlines.Preparing, token => actions.PrepareAsync(attempt, token), until.Token);
        }
        catch (FaultException exception)
        {
            return await EndAsync(CutoverPhase.Refused, exception.Fault);
        }

        var fault = await CloseAndSealAsync(attempt, until.Token);
        if (attempt.Rehearsal || fault is not null)
        {
            try
            {
                var left = await LiftAsync(attempt);
                if (left.State == FenceState.Open && left.Token == attempt.Token)
                {
                    // It was closed, and the side knows since when it is not: where another process has lifted the fence, since before this one saw it.
                    now = now with { OutageMs = Outage(left.Age) };
                }

                if (!(left.State == FenceState.Sealed && left.Token == attempt.Token))
                {
                    // Where another attempt has the side by now, or makes applications wait before it closes it, applications are its business.
                    var isOurs = left.State == FenceState.Open && fault?.Code != FenceTaken && (left.Held.Length == 0 || left.Held == attempt.Token);
                    await (isOurs ? RouteBackAsync(attempt) : Task.CompletedTask);
                    return await EndAsync(fault is null ? CutoverPhase.Rehearsed : fault.Code == FenceTaken ? CutoverPhase.Refused : CutoverPhase.Undone, fault);
                }
            }
            catch (FaultException exception)
            {
                // Not what went wrong before: whether the side is open, closed or sealed is what nobody knows.
                return await EndAsync(CutoverPhase.Unknown, new Fault(
                    FaultKind.Unreachable, "end-unknown", $"The side that was to be left did not say how the attempt ended: {exception.Fault.Message}{(fault is null ? "" : $" (before that: {fault.Message})")}",
                    "Any process of the migration ends it once both sides answer: 'cdcm cutover status' shows how"));
            }
        }

        // A process that is asked to end opens first, for as long as a lease: nobody takes writes until then.
        using var opening = new CancellationTokenSource();
        await using var ending = stop.Register(() => opening.CancelAfter(options.Lease));
        try
        {
            await StepAsync(CutoverStep.Open, Timeout.InfiniteTimeSpan, token => UntilDoneAsync(async () =>
            {
                var outcome = await actions.OpenAsync(attempt, token);
                now = now with { OutageMs = Outage(TimeSpan.Zero) };
                return outcome;
            }, token, TellOnce), opening.Token);
        }
        catch (FaultException exception)
        {
            return await EndAsync(CutoverPhase.Unknown, exception.Fault);
        }

        // Not called off with the attempt: that came too late, and applications wait.
        using var routing = CancellationTokenSource.CreateLinkedTokenSource(stop, leave);
        try
        {
            await StepAsync(CutoverStep.Route, Timeout.InfiniteTimeSpan, token => actions.RouteAsync(attempt, Tell, token), routing.Token);
            return await EndAsync(CutoverPhase.Done, null);
        }
        catch (FaultException exception)
        {
            // Nothing is undone for a router that does not answer: the side is open. Another process goes on with its hooks.
            return await EndAsync(CutoverPhase.Done, exception.Fault);
        }
    }

    /// <summary>Null where everything was done up to the seal, and the seal where it is no rehearsal.</summary>
    private async Task<Fault?> CloseAndSealAsync(CutoverAttempt attempt, CancellationToken until)
    {
        using var leased = CancellationTokenSource.CreateLinkedTokenSource(until);
        var renewing = Task.CompletedTask;
        FencePosition fence = null!;
        DrainReport drain = null!;
        closing = time.GetTimestamp();
        try
        {
            await StepAsync(CutoverStep.Hold, Timeout.InfiniteTimeSpan, token => actions.HoldAsync(attempt, Tell, token), leased.Token);

            // Hooks before the fence make applications wait: their outage begins with the first of them.
            closing = now.Hooks.Count == 0 ? time.GetTimestamp() : closing;
            await StepAsync(CutoverStep.Fence, options.Deadlines.Fencing + Grace, async token =>
            {
                fence = await actions.CloseAsync(attempt, options.KeptFor, token);
                now = now with { Fence = fence };
                renewing = RenewAsync(attempt, leased);
                return "writes are denied";
            }, leased.Token);
            await StepAsync(CutoverStep.Drain, options.Deadlines.Draining + Grace, async token =>
            {
                drain = await actions.DrainAsync(fence, options.Deadlines.Draining, token);
                now = now with { Drain = drain };
                return drain.Drained
                    ? $"marker seen, slot confirmed, {drain.Lanes.Count} lanes at their ends"
                    : throw new FaultException(
                        FaultKind.TimedOut, "not-drained", $"The side that takes over did not get everything in time; it waits for {drain.WaitingFor}", $"{drain.FixOf(actions.Pace)}; then try again");
            }, leased.Token);
            await StepAsync(CutoverStep.Prove, Longer(options.Deadlines.FinalVerify, options.Deadlines.ReverseArmed) + Grace, async token =>
            {
                var proof = await actions.ProveAsync(attempt, drain, token);
                now = now with { Proof = proof };
                return $"{proof.Tables.Count} tables equal, {proof.Sequences.Count} sequences moved on{(proof.Back is not null ? ", the way back is set" : proof.NoReturn is { } why ? $"; without a way back: {why}" : "")}";
            }, leased.Token);
            if (!attempt.Rehearsal)
            {
                await StepAsync(CutoverStep.Seal, options.Lease, async token => await actions.SealAsync(now, token)
                    ? "left for good"
                    : throw new FaultException(LeaseLost()), leased.Token);
            }

            return null;
        }
        catch (FaultException exception)
        {
            return exception.Fault;
        }
        finally
        {
            await leased.CancelAsync();
            await renewing;
        }
    }

    /// <summary>
    /// Lifts the fence where it is this attempt's, and reads how the side stands. It may be sealed by the attempt after all, though the answer was lost: then that goes on. A COMMIT that
    /// is still on its way holds the row's lock, so that this waits for it. An end of the process does not call it off: for as long as the lease, then others do it.
    /// </summary>
    private async Task<FenceRecord> LiftAsync(CutoverAttempt attempt)
    {
        using var patience = new CancellationTokenSource(options.Lease, time);
        return await UntilDoneAsync(
            async () =>
            {
                await actions.UndoAsync(attempt, patience.Token);
                return await actions.ReadAsync(attempt, patience.Token);
            },
            patience.Token);
    }

    /// <summary>Since writes were denied, in milliseconds, where they have been taken for so long.</summary>
    private double Outage(TimeSpan taken) => Math.Round(Math.Max(0, (time.GetElapsedTime(closing) - taken).TotalMilliseconds), 1);

    private async Task RouteBackAsync(CutoverAttempt attempt)
    {
        var why = now.Fault;
        try
        {
            await actions.RouteBackAsync(attempt, Tell, CancellationToken.None);
        }
        catch (FaultException exception)
        {
            why ??= exception.Fault;
        }

        now = now with { Fault = why };
    }

    /// <summary>
    /// Keeps the side closed while the attempt works; where it is lost the attempt is called off. An answer that is lost, or does not come, says nothing: it is asked again at once, for as long as the attempt
    /// works, and the seal looks at the lease itself.
    /// </summary>
    private async Task RenewAsync(CutoverAttempt attempt, CancellationTokenSource leased)
    {
        var pause = options.RenewEvery;
        try
        {
            while (true)
            {
                await Task.Delay(pause, time, leased.Token);
                if (await TryRenewAsync(attempt, leased.Token) is not { } kept)
                {
                    pause = RetryPause;
                    continue;
                }

                if (!kept)
                {
                    lost = true;
                    await leased.CancelAsync();
                    return;
                }

                pause = options.RenewEvery;
            }
        }
        catch (OperationCanceledException)
        {
            // The attempt is over.
        }
    }

    /// <summary>Null where the side did not say whether it is kept: one that hangs is not waited for until the lease is over.</summary>
    private async Task<bool?> TryRenewAsync(CutoverAttempt attempt, CancellationToken over)
    {
        using var patience = new CancellationTokenSource(options.RenewEvery / 2, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(over, patience.Token);
        try
        {
            return await actions.RenewAsync(attempt, options.KeptFor, either.Token);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !over.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>Not by who asked this process: somebody else lifted the fence, at the end of its lease or because he was asked to.</summary>
    private static Fault LeaseLost() => new(
        FaultKind.TimedOut, "lease-lost", "The fence was lifted, or about to be, before the side could be sealed: the attempt was called off through another process, or its own one did not renew the lease in time",
        "The side's journal says who lifted it (cdc_migrator.journal, event fence-undone); then try again");

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;

    /// <summary>What a hook came to, as soon as it is known: one that fails behind the seal is tried until it succeeds, and somebody must see why.</summary>
    private void Tell(HookOutcome outcome)
    {
        now = now with { Hooks = [.. now.Hooks, outcome], Fault = outcome.Fault };
        report(now);
    }

    private async Task StepAsync(CutoverStep step, TimeSpan limit, Func<CancellationToken, Task<string>> work, CancellationToken until)
    {
        now = now with { Current = step };
        report(now);
        var began = time.GetTimestamp();
        using var ending = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(until, ending.Token);
        Fault? fault = null;
        var outcome = "";
        try
        {
            outcome = await work(either.Token);
        }
        catch (OperationCanceledException)
        {
            fault = ending.IsCancellationRequested
                ? new Fault(FaultKind.TimedOut, "step-timeout", $"Step {step} took longer than {limit.TotalSeconds:0.#} s", "'cdcm status' shows what is slow; then try again")
                : lost && step <= CutoverStep.Seal ? LeaseLost()
                : new Fault(FaultKind.NotAllowed, "called-off", $"The attempt was called off in step {step}", "Try again when that is wanted");
        }
        catch (FaultException exception)
        {
            fault = exception.Fault;
        }
        catch (Exception exception)
        {
            // A defect, or an error nobody named: no reason to leave a side closed.
            fault = new Fault(FaultKind.Internal, "step-failed", $"Step {step} failed: {exception.Message}", "'cdcm cutover status' shows both sides; the service's log may say more");
        }

        var ms = Math.Round(time.GetElapsedTime(began).TotalMilliseconds, 1);
        now = now with { Fault = fault, Steps = [.. now.Steps, new StepReport(step, ms, fault?.Message ?? outcome, fault is null)], Current = null };
        report(now);
        if (fault is not null)
        {
            throw new FaultException(fault);
        }
    }

    /// <summary>What keeps the side that takes over from being opened, while both sides deny writes: tried again, and somebody must see why.</summary>
    private void TellOnce(Fault fault)
    {
        if (now.Fault != fault)
        {
            now = now with { Fault = fault };
            report(now);
        }
    }

    private async Task<T> UntilDoneAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken, Action<Fault>? failed = null)
    {
        while (true)
        {
            try
            {
                return await work();
            }
            catch (FaultException exception) when (exception.Fault.Kind is FaultKind.Unreachable or FaultKind.Transient or FaultKind.TimedOut)
            {
                failed?.Invoke(exception.Fault);
                try
                {
                    await Task.Delay(RetryPause, time, cancellationToken);
                }
                catch (OperationCanceledException)
                {
                    throw exception;
                }
            }
            catch (OperationCanceledException)
            {
                throw new FaultException(FaultKind.Unreachable, "no-answer", "A database did not answer in time", "Any process of the migration ends the attempt once both sides answer; 'cdcm cutover status' shows how");
            }
        }
    }

    private async Task<CutoverReport> EndAsync(CutoverPhase phase, Fault? fault)
    {
        now = now with { Phase = phase, Fault = fault ?? now.Fault, Current = null };
        report(now);
        try
        {
            await actions.NoteAsync(now, CancellationToken.None);
        }
        catch (FaultException)
        {
            // What decides is in the fence's own rows.
        }

        return now;
    }
}
