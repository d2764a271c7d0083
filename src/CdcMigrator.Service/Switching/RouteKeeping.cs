using CdcMigrator.Cutover;
using CdcMigrator.Cutover.Routing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Runtime;

namespace CdcMigrator.Service.Switching;

/// <summary>
/// Tells applications where to write when the process that opened a side, or lifted its fence, did not come to it. The side's row says whether they were told; two processes may tell
/// them the same.
/// </summary>
internal sealed class RouteKeeping(MigrationDefinition definition, Sides sides, RoutingHooks hooks, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>What the process that opened a side, or lifted its fence, has at most to tell applications itself.</summary>
    private static readonly TimeSpan LongestGrace = TimeSpan.FromSeconds(10);

    /// <summary>After a round of an abort's hooks in which one failed. Applications may wait for it: it is run until it succeeds.</summary>
    private static readonly TimeSpan FailedPause = TimeSpan.FromSeconds(15);
    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, long> failed = new(StringComparer.Ordinal);

    /// <summary>How long a note that was taken over holds without being renewed.</summary>
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    /// <summary>Where that process dies at the very moment applications are told within its lease all the same.</summary>
    private readonly TimeSpan grace = TimeSpan.FromTicks(Math.Min(LongestGrace.Ticks, CutoverOptions.Of(definition).KeptFor.Ticks));

    /// <summary>Looks once a second at one side until stopped, and at once where this process ended an attempt in another one's place. A loop a side: one that says nothing must not keep the other one's applications waiting.</summary>
    /// <param name="leaving">The direction that leaves this side.</param>
    /// <param name="stop">Ends it.</param>
    public async Task RunAsync(MigrationDirection leaving, CancellationToken stop)
    {
        if (Enum.GetValues<HookMoment>().All(moment => hooks.At(moment).Count == 0))
        {
            return;
        }

        while (!stop.IsCancellationRequested)
        {
            var ended = sides.Ended.Next;
            try
            {
                await LookAsync(sides.Left(leaving), leaving, stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (FaultException)
            {
                // A side is away: the keeper of fences says so.
            }

            await Task.WhenAny(ended, Task.Delay(Interval, time, stop));
        }
    }

    /// <summary>Looks once at both sides, each by itself.</summary>
    public Task TurnAsync(CancellationToken cancellationToken) => Task.WhenAll(
        LookAsync(sides.Source, MigrationDirection.Forward, cancellationToken), LookAsync(sides.Target, MigrationDirection.Back, cancellationToken));

    /// <summary>
    /// Looks once, and tells applications of a side that has been open for some time without that. The one that opened it, or lifted its fence, does it itself; where that was this process in the place of another one,
    /// nobody is waited for.
    /// </summary>
    /// <param name="side">A side.</param>
    /// <param name="leaving">The direction that leaves this side.</param>
    /// <param name="cancellationToken">Gives up.</param>
    private async Task LookAsync(FencedSide side, MigrationDirection leaving, CancellationToken cancellationToken)
    {
        var here = await Sides.AskAsync(() => side.ReadAsync(cancellationToken));
        if (here is { State: FenceState.Open, Held.Length: > 0 })
        {
            // Whoever makes applications wait also lets them go: nobody does so beside it, not for an earlier attempt either.
            await (here.IsHoldOver ? LetGoAsync(side, here, leaving, cancellationToken) : Task.CompletedTask);
            return;
        }

        if (here is not { State: FenceState.Open, Token.Length: > 0 } || here.Routed == here.Token || (here.Age < grace && !sides.Ended.Contains(here.Token))
            || (failed.TryGetValue(here.Token, out var at) && time.GetElapsedTime(at) < FailedPause))
        {
            return;
        }

        var arrived = await Sides.AskAsync(() => side.WasOpenedByAsync(here.Token, cancellationToken));
        var direction = arrived ? (leaving == MigrationDirection.Forward ? MigrationDirection.Back : MigrationDirection.Forward) : leaving;
        var context = Context(here.Token, here.Epoch, direction);
        RuntimeLog.Rerouting(log, here.Token, (arrived ? context.To : context.From).ToString());
        if (arrived)
        {
            await hooks.AfterOpenAsync(context, async outcome =>
            {
                Tell(outcome);
                if (!await IsLastAsync(side, here, cancellationToken))
                {
                    throw new FaultException(FaultKind.NotAllowed, "overtaken", "A later attempt has turned the migration since, or is about to");
                }
            }, cancellationToken);
        }
        else
        {
            if (!await TellAbortAsync(context, () => IsLastAsync(side, here, cancellationToken), cancellationToken))
            {
                return;
            }
        }

        await NoteRoutedAsync(side, here.Token, cancellationToken);
    }

    /// <summary>Notes that applications were told.</summary>
    public static Task NoteRoutedAsync(FencedSide side, string token, CancellationToken cancellationToken) => Sides.AskAsync(
        side.Name, Patience.Answer,
        async stop =>
        {
            await side.NoteRoutedAsync(token, stop);
            return true;
        },
        cancellationToken);

    /// <summary>The process of an attempt died between telling applications to wait and closing the side.</summary>
    private async Task LetGoAsync(FencedSide side, FenceRecord here, MigrationDirection leaving, CancellationToken cancellationToken)
    {
        if (!await Sides.AskAsync(side.Name, Patience.Work, stop => side.Hold.TakeOverAsync(here.Held, Lease, stop), cancellationToken))
        {
            return;
        }

        var context = Context(here.Held, here.HeldEpoch, leaving);
        RuntimeLog.Rerouting(log, here.Held, context.From.ToString());
        await using var keeping = new HoldKeeping(side, here.Held, releasing: true, Lease, time);
        if (await TellAbortAsync(context, () => Task.FromResult(!keeping.Lost.IsCancellationRequested), cancellationToken) && !keeping.Lost.IsCancellationRequested)
        {
            await Sides.AskAsync(side.Name, Patience.Answer, stop => side.Hold.EndAsync(here.Held, stop), cancellationToken);
        }
    }

    /// <summary>Whether no later attempt has had the side. One that makes applications wait already counts: they would be let go into its fence, and nobody would see its note run out.</summary>
    private static async Task<bool> IsLastAsync(FencedSide side, FenceRecord here, CancellationToken cancellationToken) =>
        await Sides.AskAsync(() => side.ReadAsync(cancellationToken)) is { State: FenceState.Open, Held.Length: 0 } now && now.Token == here.Token;

    /// <summary>Whether every hook succeeded; where one did not, or was not run any more, nothing is noted of it, and the round is made again.</summary>
    private async Task<bool> TellAbortAsync(HookContext context, Func<Task<bool>> still, CancellationToken cancellationToken)
    {
        var outcomes = await hooks.OnAbortAsync(context, still, cancellationToken);
        foreach (var outcome in outcomes)
        {
            Tell(outcome);
        }

        if (hooks.HaveLetGo(outcomes))
        {
            return true;
        }

        if (outcomes.Any(outcome => !outcome.Succeeded))
        {
            failed[context.Token] = time.GetTimestamp();
        }

        return false;
    }

    private HookContext Context(string token, long epoch, MigrationDirection direction)
    {
        var (from, to) = direction == MigrationDirection.Forward
            ? (RouteEnds.Of(definition.Source), RouteEnds.Of(definition.Target))
            : (RouteEnds.Of(definition.Target), RouteEnds.Of(new SourceSection(SourceKind.PostgreSql, definition.Source.Connection)));
        return new HookContext(definition.Name, token, epoch, direction, from, to);
    }

    private void Tell(HookOutcome outcome)
    {
        if (outcome.Fault is { } fault)
        {
            RuntimeLog.SampleFailed(log, "hook", fault);
        }
    }
}
