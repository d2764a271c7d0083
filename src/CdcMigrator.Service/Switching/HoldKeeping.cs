using CdcMigrator.Domain.Faults;
using CdcMigrator.Postgres.Fencing;

namespace CdcMigrator.Service.Switching;

/// <summary>
/// Renews the note that applications are made to wait while its owner works. Where the note is lost, <see cref="Lost"/> is cancelled; a side that is away lets it run out. An owner that was called off has little time
/// until others let applications go beside him: from then on the note is renewed for whoever lets them go.
/// </summary>
internal sealed class HoldKeeping : IAsyncDisposable
{
    /// <summary>Longest time until its owner sees that the note is lost: applications wait meanwhile.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);
    private readonly CancellationTokenSource lost = new();
    private readonly CancellationTokenSource over = new();
    private readonly FencedSide side;
    private readonly string token;
    private readonly TimeSpan lease;
    private readonly Task renewing;

    /// <summary>Begins to renew.</summary>
    /// <param name="side">The side with the note.</param>
    /// <param name="token">The attempt.</param>
    /// <param name="releasing">Whether the note was taken over to let applications go.</param>
    /// <param name="lease">For how long each renewal keeps it.</param>
    /// <param name="time">Clock of the pauses.</param>
    public HoldKeeping(FencedSide side, string token, bool releasing, TimeSpan lease, TimeProvider time)
    {
        (this.side, this.token, this.lease) = (side, token, lease);
        renewing = RenewAsync(releasing, time);
    }

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

    private async Task RenewAsync(bool releasing, TimeProvider time)
    {
        while (true)
        {
            await Task.Delay(lease / 3 < LongestPause ? lease / 3 : LongestPause, time, over.Token);
            if (await IsKeptAsync(releasing))
            {
                continue;
            }

            var told = lost.CancelAsync();
            var isLetGo = !releasing && await IsKeptAsync(releasing: true);
            await told;
            if (!isLetGo)
            {
                return;
            }

            releasing = true;
        }
    }

    /// <summary>Where the side does not say it is asked again: what decides is its own clock.</summary>
    private async Task<bool> IsKeptAsync(bool releasing)
    {
        try
        {
            // A session that is lost without a word is given up in time for another one to renew.
            return await Sides.AskAsync(side.Name, lease / 3, stop => side.Hold.RenewAsync(token, releasing, lease, stop), over.Token);
        }
        catch (FaultException)
        {
            return true;
        }
    }
}
