using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;

namespace CdcMigrator.Cutover.Routing;

/// <summary>
/// The hooks of a migration: which are run at which moment, in which order, and what a failure means. Every hook is run at least once a moment, never exactly once: who
/// dies in the middle is followed by one that begins the moment again.
/// </summary>
public sealed class RoutingHooks(RouteSection route, IHookRunner runner, TimeProvider time)
{
    /// <summary>How often a hook is tried at an abort.</summary>
    private const int AbortTries = 3;

    /// <summary>Most of the output's last line that a fault says; the outcome has more.</summary>
    private const int LongestLine = 300;
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(15);

    /// <summary>
    /// The hooks of a moment in their order. PgBouncers come last before the fence, so that nobody waits for anything else; last when the new side is open, for something else
    /// must have given them their new target; and first at an abort.
    /// </summary>
    public IReadOnlyList<RoutingHook> At(HookMoment moment) => moment switch
    {
        HookMoment.BeforeFence => [.. route.BeforeFence, .. route.PgBouncers],
        HookMoment.AfterOpen => [.. route.AfterOpen, .. route.PgBouncers],
        _ => [.. route.PgBouncers, .. route.OnAbort],
    };

    /// <summary>What is known to be wrong with any hook before it is needed. Changes nothing.</summary>
    public async Task<IReadOnlyList<Fault>> CheckAsync(CancellationToken cancellationToken)
    {
        var hooks = route.PgBouncers.Concat(route.BeforeFence).Concat(route.AfterOpen).Concat(route.OnAbort);
        var found = await Task.WhenAll(hooks.Select(hook => runner.CheckAsync(hook, cancellationToken)));
        return [.. found.OfType<Fault>()];
    }

    /// <summary>
    /// Runs the hooks before the fence up to the first that fails: then the cutover has to be undone, with <see cref="OnAbortAsync"/>. Nothing else is changed yet.
    /// </summary>
    /// <returns>What each run came to; only the last one can have failed.</returns>
    public async Task<IReadOnlyList<HookOutcome>> BeforeFenceAsync(HookContext context, CancellationToken cancellationToken)
    {
        var outcomes = new List<HookOutcome>();
        foreach (var hook in At(HookMoment.BeforeFence))
        {
            outcomes.Add(await RunAsync(hook, HookMoment.BeforeFence, context, cancellationToken));
            if (!outcomes[^1].Succeeded)
            {
                break;
            }
        }

        return outcomes;
    }

    /// <summary>
    /// Runs the hooks of the open side, each until it succeeds: nothing is undone any more, and one that stands for another's condition must not be passed. Each run is told, so
    /// that an operator can do by hand what does not succeed.
    /// </summary>
    /// <param name="context">The attempt.</param>
    /// <param name="tell">Takes what each run came to, failed ones too.</param>
    /// <param name="cancellationToken">Gives up; another process begins the moment again.</param>
    public async Task AfterOpenAsync(HookContext context, Func<HookOutcome, Task> tell, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(tell);
        foreach (var hook in At(HookMoment.AfterOpen))
        {
            for (var pause = FirstPause; ; pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, LongestPause.Ticks)))
            {
                var outcome = await RunAsync(hook, HookMoment.AfterOpen, context, cancellationToken);
                await tell(outcome);
                if (outcome.Succeeded)
                {
                    break;
                }

                await Task.Delay(pause, time, cancellationToken);
            }
        }
    }

    /// <summary>
    /// Runs every hook of an abort, whatever becomes of the others, each up to three times. To be called once writes are allowed again, whether or not hooks had been run before
    /// the fence: what was not done is not undone twice.
    /// </summary>
    /// <param name="context">The attempt.</param>
    /// <param name="still">Asked before each run: whether no later attempt has the applications by now. Where one has, they are its business, and no more is run.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What each run came to; <see cref="HaveLetGo"/> says whether it was enough.</returns>
    public async Task<IReadOnlyList<HookOutcome>> OnAbortAsync(HookContext context, Func<Task<bool>> still, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(still);
        var outcomes = new List<HookOutcome>();
        foreach (var hook in At(HookMoment.OnAbort))
        {
            for (var tries = 1; tries <= AbortTries; tries++)
            {
                if (!await still())
                {
                    return outcomes;
                }

                outcomes.Add(await RunAsync(hook, HookMoment.OnAbort, context, cancellationToken));
                if (outcomes[^1].Succeeded || tries == AbortTries)
                {
                    break;
                }

                await Task.Delay(FirstPause, time, cancellationToken);
            }
        }

        return outcomes;
    }

    /// <summary>Whether a round of <see cref="OnAbortAsync"/> came to its end and every hook of it succeeded, at whichever try. Where it was cut short applications may wait still, whatever those said that were run.</summary>
    public bool HaveLetGo(IReadOnlyList<HookOutcome> round)
    {
        ArgumentNullException.ThrowIfNull(round);

        // None is run again once it succeeded.
        return round.Count(outcome => outcome.Succeeded) == At(HookMoment.OnAbort).Count;
    }

    private async Task<HookOutcome> RunAsync(RoutingHook hook, HookMoment moment, HookContext context, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var run = await runner.RunAsync(hook, moment, context, cancellationToken);
        return new HookOutcome(moment, hook.Name, run.Result, run.Output, time.GetElapsedTime(started), Fault(hook, moment, context, run));
    }

    private static Fault? Fault(RoutingHook hook, HookMoment moment, HookContext context, HookRun run)
    {
        if (run.Code is null)
        {
            return null;
        }

        var last = run.Output.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).LastOrDefault();
        last = last?.Length > LongestLine ? $"{last[..LongestLine]}…" : last;
        var (name, consequence) = moment switch
        {
            HookMoment.BeforeFence => ("beforeFence", $"The cutover is undone and applications go on at {context.From}; mend the hook and start again. To try it by hand"),
            HookMoment.AfterOpen => ("afterOpen", $"Applications must write to {context.To} now; it is tried again until it succeeds. By hand"),
            _ => ("onAbort", $"Applications must go on at {context.From}. By hand"),
        };
        return new Fault(
            run.Kind, run.Code, $"{name} hook '{hook.Name}': {run.Result}{(last is null ? "" : $": {last}")}", $"{consequence}: {HookByHand.Of(hook, moment, context)}");
    }
}
