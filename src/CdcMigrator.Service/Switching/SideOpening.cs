using CdcMigrator.Cutover.Switching;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Postgres.Fencing;

namespace CdcMigrator.Service.Switching;

/// <summary>An attempt's opening of the side that takes over: what it takes is held from before the seal, and the side is opened with it once it has all that was proven of it.</summary>
/// <param name="taking">The side.</param>
/// <param name="left">The one that is left.</param>
/// <param name="silence">How long what is held is kept without a word.</param>
internal sealed class SideOpening(FencedSide taking, FencedSide left, TimeSpan silence) : IAsyncDisposable
{
    private HeldOpening? held;
    private OpeningTerms? terms;
    private bool wasBehind;

    /// <summary>Takes what the opening needs, anew where it was taken before.</summary>
    public async Task HoldAsync(CutoverAttempt attempt, CancellationToken cancellationToken)
    {
        if (held is not null)
        {
            // Its server process may live on behind a connection that is dead, with the very locks that are asked for.
            await LetGoAsync();
            await Sides.AskAsync(() => taking.EndHeldAsync(attempt.Token, TimeSpan.Zero, cancellationToken));
        }

        held = await Sides.AskAsync(() => taking.HoldOpeningAsync(attempt.Token, silence, cancellationToken));
    }

    /// <summary>Right before the seal: what is noted with it for whoever opens. A session that ended since holds nothing: there is still time to take all of it anew.</summary>
    /// <param name="attempt">The attempt.</param>
    /// <param name="proven">What was proven.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<OpeningTerms> TermsAsync(CutoverAttempt attempt, OpeningTerms proven, CancellationToken cancellationToken)
    {
        if ((held is null ? null : await held.ReadServerAsync(cancellationToken)) is not { } server)
        {
            await HoldAsync(attempt, cancellationToken);
            server = await held!.ReadServerAsync(cancellationToken) ?? "";
        }

        return terms = proven with { Server = server };
    }

    /// <summary>Opens; in words what came of it, or null where the side is open by this attempt already, or a later one has had it.</summary>
    /// <exception cref="FaultException">Transient <see cref="OpeningCheck.Behind"/>: it lost changes that it had; nothing is held any more, so that they are applied.</exception>
    public async Task<string?> OpenAsync(CutoverAttempt attempt, CancellationToken cancellationToken)
    {
        var with = held;
        held = null;

        // Sequences may have been lost with the rows, and that they were moved before says nothing then.
        var check = new OpeningCheck(terms, moves: wasBehind);
        try
        {
            await (with is null ? RequireLeftAsync(attempt, cancellationToken) : Task.CompletedTask);
            return !await Sides.AskAsync(() => with is null
                ? taking.OpenAsync(attempt.Token, attempt.Epoch, check, cancellationToken)
                : taking.OpenAsync(with, attempt.Token, attempt.Epoch, check, () => RequireLeftAsync(attempt, cancellationToken), cancellationToken)) ? null
                : check.Elsewhere is { } elsewhere ? $"writes are taken; the side that takes over {elsewhere}"
                : "writes are taken";
        }
        catch (FaultException exception) when (exception.Fault.Code == OpeningCheck.Behind)
        {
            wasBehind = true;
            await (check.HasLost ? Sides.AskAsync(() => left.StopDirectionAsync(attempt.Token, cancellationToken)) : Task.CompletedTask);
            throw;
        }
    }

    /// <summary>
    /// What was held bounds how long ago the seal was. Without it the side that was left is asked whether it is still: one that failed over to a copy without the seal takes writes by now, and two sides would. One that
    /// does not answer keeps nobody waiting.
    /// </summary>
    /// <exception cref="FaultException">NotAllowed <c>not-left</c>.</exception>
    private async Task RequireLeftAsync(CutoverAttempt attempt, CancellationToken cancellationToken)
    {
        FenceRecord? row;
        try
        {
            row = await Sides.AskAsync(() => left.ReadAsync(cancellationToken));
        }
        catch (FaultException)
        {
            return;
        }

        if (row is not null && row.Epoch <= attempt.Epoch && !(row.State == FenceState.Sealed && row.Token == attempt.Token))
        {
            throw new FaultException(
                FaultKind.NotAllowed, "not-left", $"The side that was left does not say so any more: it is {row.State.ToString().ToLowerInvariant()}, by attempt {(row.Token.Length > 0 ? row.Token : "none")}. It came back from an older copy of itself, so that the other one is not opened",
                "'cdcm cutover status' shows both sides; look at the failover first");
        }
    }

    /// <summary>Lets go of what is held.</summary>
    public async Task LetGoAsync()
    {
        await (held?.DisposeAsync() ?? ValueTask.CompletedTask);
        held = null;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync() => await LetGoAsync();
}
