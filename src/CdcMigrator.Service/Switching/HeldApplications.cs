using CdcMigrator.Cutover;
using CdcMigrator.Cutover.Routing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Fencing;

namespace CdcMigrator.Service.Switching;

/// <summary>The applications of the side that an attempt leaves: its hooks make them wait before the fence, and let them go where it is undone. Meanwhile a note on the side says so.</summary>
/// <param name="left">The side.</param>
/// <param name="options">What an attempt goes by.</param>
/// <param name="hooks">What routes applications.</param>
/// <param name="time">Clock.</param>
internal sealed class HeldApplications(FencedSide left, CutoverOptions options, RoutingHooks hooks, TimeProvider time) : IAsyncDisposable
{
    private HoldKeeping? keeping;

    /// <summary>Makes them wait, up to the first hook that fails.</summary>
    /// <returns>What was done, in words.</returns>
    /// <exception cref="FaultException">NotAllowed <c>hold-taken</c>, <c>called-off</c>; TimedOut <c>hold-lost</c>; what a hook came to.</exception>
    public async Task<string> WaitAsync(HookContext context, Action<HookOutcome> tell, CancellationToken cancellationToken)
    {
        if (hooks.At(HookMoment.BeforeFence).Count == 0)
        {
            return "no hooks";
        }

        // Noted first: whoever finds the note without its owner lets applications go. As the fence it is over sooner than the lease, so that others let them go within it.
        if (!await Sides.AskAsync(left.Name, Patience.Work, stop => left.Hold.TakeAsync(context.Token, context.Epoch, options.KeptFor, stop), cancellationToken))
        {
            throw new FaultException(FaultKind.NotAllowed, "hold-taken", "Another attempt makes applications wait, or is letting them go", "'cdcm cutover status' shows both sides; then try again");
        }

        keeping = new HoldKeeping(left, context.Token, releasing: false, options.KeptFor, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, keeping.Lost);
        IReadOnlyList<HookOutcome> outcomes;
        try
        {
            outcomes = await hooks.BeforeFenceAsync(context, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw await LostAsync(context);
        }

        foreach (var outcome in outcomes)
        {
            tell(outcome);
        }

        return outcomes is [.., { Fault: { } fault }] ? throw new FaultException(fault) : $"{outcomes.Count} hooks";
    }

    /// <summary>
    /// Closes the side while they wait. Where the attempt is called off meanwhile, the row refuses it at the next try for the tables' locks. That the note is lost calls nothing off here: the close itself takes it away,
    /// and what is read behind it is not to be given up.
    /// </summary>
    /// <param name="context">The attempt.</param>
    /// <param name="close">Closes it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="FaultException">NotAllowed <c>called-off</c>; TimedOut <c>hold-lost</c>; what closing came to.</exception>
    public async Task<T> CloseAsync<T>(HookContext context, Func<CancellationToken, Task<T>> close, CancellationToken cancellationToken)
    {
        if (keeping is { } note
            && (note.Lost.IsCancellationRequested || !await Sides.AskAsync(() => left.Hold.RenewAsync(context.Token, releasing: false, options.KeptFor, cancellationToken))))
        {
            throw await LostAsync(context);
        }

        try
        {
            return await Sides.AskAsync(() => close(cancellationToken));
        }
        catch (FaultException exception) when (exception.Fault.Code == "fence-taken" && keeping is not null)
        {
            // By whoever called it off: no other attempt has the side, and applications are still this one's to let go.
            if (await FindCalledOffAsync(context) is { } by)
            {
                throw CalledOff(by);
            }

            throw;
        }
    }

    /// <summary>Lets them go, whether or not they were made to wait. Where a hook failed, or was not run, nothing is noted: they may wait still, and any process tells them again.</summary>
    public async Task LetGoAsync(HookContext context, Action<HookOutcome> tell, CancellationToken cancellationToken)
    {
        var outcomes = await hooks.OnAbortAsync(context, () => IsStillOursAsync(context, cancellationToken), cancellationToken);
        foreach (var outcome in outcomes)
        {
            tell(outcome);
        }

        await DisposeAsync();
        if (hooks.HaveLetGo(outcomes))
        {
            await Sides.QuietAsync(() => Sides.AskAsync(left.Name, Patience.Answer, stop => left.Hold.EndAsync(context.Token, stop), cancellationToken));
            await Sides.QuietAsync(() => RouteKeeping.NoteRoutedAsync(left, context.Token, cancellationToken));
        }
    }

    /// <summary>The attempt is over, whatever its end: a note that is left runs out, and another process lets them go.</summary>
    public async ValueTask DisposeAsync()
    {
        await (keeping?.DisposeAsync() ?? ValueTask.CompletedTask);
        keeping = null;
    }

    /// <summary>Whether no later attempt has had the side that stays, or makes its applications wait. Where it does not answer they are told: they wait for nobody else.</summary>
    private async Task<bool> IsStillOursAsync(HookContext context, CancellationToken cancellationToken)
    {
        try
        {
            return await Sides.AskAsync(() => left.ReadAsync(cancellationToken)) is not { } record
                || (record.State == FenceState.Open && record.Epoch <= context.Epoch && (record.Held.Length == 0 || record.Held == context.Token));
        }
        catch (FaultException)
        {
            return true;
        }
    }

    private Task<string?> FindCalledOffAsync(HookContext context) =>
        Sides.AskAsync(left.Name, Patience.Answer, stop => left.Hold.FindCalledOffAsync(context.Token, stop), CancellationToken.None);

    private async Task<FaultException> LostAsync(HookContext context) => await FindCalledOffAsync(context) is { } by
        ? CalledOff(by)
        : new FaultException(
            FaultKind.TimedOut, "hold-lost", "The attempt made applications wait and did not renew its note in time, so that another process let them go", "Look at the load of the service's machine and at its connection to the side that is left; then try again");

    private static FaultException CalledOff(string by) =>
        new(FaultKind.NotAllowed, "called-off", $"The attempt was called off by {by}, through another process, before it closed the side", "Try again when that is wanted");
}
