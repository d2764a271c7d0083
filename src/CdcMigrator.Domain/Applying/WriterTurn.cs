namespace CdcMigrator.Domain.Applying;

/// <summary>
/// One of the few turns to write to the target that the lanes of a process share. A lane holds it while it applies a batch. A writer that has to
/// wait for another lane gives it back meanwhile: with all turns held by waiting lanes, the one they wait for could never write.
/// One caller at a time.
/// </summary>
public sealed class WriterTurn : IDisposable
{
    private readonly SemaphoreSlim turns;
    private bool held = true;

    private WriterTurn(SemaphoreSlim turns) => this.turns = turns;

    /// <summary>Waits for a turn.</summary>
    public static async Task<WriterTurn> TakeAsync(SemaphoreSlim turns, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(turns);
        await turns.WaitAsync(cancellationToken).ConfigureAwait(false);
        return new WriterTurn(turns);
    }

    /// <summary>Gives the turn back before a wait, with no transaction open and no connection held. May be called twice.</summary>
    public void GiveBack()
    {
        if (held)
        {
            held = false;
            turns.Release();
        }
    }

    /// <summary>Waits for a turn again. Returns at once where it is still held.</summary>
    public async Task TakeAgainAsync(CancellationToken cancellationToken)
    {
        if (!held)
        {
            await turns.WaitAsync(cancellationToken).ConfigureAwait(false);
            held = true;
        }
    }

    /// <summary>Gives the turn back for good.</summary>
    public void Dispose() => GiveBack();
}
