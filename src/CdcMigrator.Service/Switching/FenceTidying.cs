using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Runtime;

namespace CdcMigrator.Service.Switching;

/// <summary>
/// Disables the triggers of a side that was opened while something held its tables' locks (<see cref="SourceFence.TidyAsync"/>). They let writes pass meanwhile, so that there is no hurry, and writers wait for its locks:
/// a look every ten seconds.
/// </summary>
internal sealed class FenceTidying(FencedSide side, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
    private bool told;

    /// <summary>Looks until stopped.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                told = await TurnAsync(stop) && told;
            }
            catch (FaultException exception) when (exception.Fault.Code == SourceFence.Locked)
            {
                if (!told)
                {
                    RuntimeLog.SampleFailed(log, "fence of the open " + side.Name, exception.Fault);
                }

                told = true;
            }
            catch (FaultException)
            {
                // The side is away: the keeper of fences says so.
            }

            await Task.Delay(Interval, time, stop).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    /// <summary>Looks once; whether triggers were disabled.</summary>
    /// <exception cref="FaultException">TimedOut <see cref="SourceFence.Locked"/>, who is in the way; or the side is away.</exception>
    public async Task<bool> TurnAsync(CancellationToken cancellationToken) =>
        await Sides.AskAsync(() => side.ReadAsync(cancellationToken)) is { State: FenceState.Open } && await Sides.AskAsync(side.Name, Patience.Work, side.Fence.TidyAsync, cancellationToken);
}
