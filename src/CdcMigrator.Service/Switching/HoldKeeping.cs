using CdcMigrator.Domain.Faults;
using CdcMigrator.Postgres.Fencing;

namespace CdcMigrator.Service.Switching;

/// <summary>Renews the note that applications are made to wait while its owner works. Where the note is lost, <see cref="Lost"/> is cancelled; a side that is away lets it run out.</summary>
internal sealed class HoldKeeping : IAsyncDisposable
{
    /// <summary>Longest time until its owner sees that the note is lost: applications wait meanwhile.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);
    private readonly CancellationTokenSource lost = new();
    private readonly CancellationTokenSource over = new();
    private readonly Task renewing;

    public HoldKeeping(FencedSide side, string token, bool releasing, TimeSpan lease, TimeProvider time) =>
        renewing = RenewAsync(side, token, releasing, lease, time);

    /// <summary>Cancelled once somebody else has the note.</summary>
    public CancellationToken Lost => lost.Token;

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await over.CancelAsync();
        await renewing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        over.Dispose();
        lost.Dispose();
    }

    private async Task RenewAsync(FencedSide side, string token, bool releasing, TimeSpan lease, TimeProvider time)
    {
        while (true)
        {
            await Task.Delay(lease / 3 < LongestPause ? lease / 3 : LongestPause, time, over.Token);
            try
            {
                // A session that is lost without a word is given up in time for another one to renew.
                if (!await Sides.AskAsync(side.Name, lease / 3, stop => side.Hold.RenewAsync(token, releasing, lease, stop), over.Token))
                {
                    await lost.CancelAsync();
                    return;
                }
            }
            catch (FaultException)
            {
                // Tried again: what decides is the side's own clock.
            }
        }
    }
}
