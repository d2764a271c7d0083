using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Runtime;
using Npgsql;

namespace CdcMigrator.Service.Switching;

/// <summary>
/// Ends what a dead coordinator left, in whichever process lives: before the seal it lifts a fence whose lease is over, after it it opens the side that takes over.
/// Both are compare-and-set in the database, so that it may act on what it read long ago, beside others that do the same.
/// </summary>
internal sealed class FenceKeeper(FencedSide source, FencedSide target, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private Fault? told;

    /// <summary>Looks once a second until stopped.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await TurnAsync(stop);
                told = null;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception) when (exception is FaultException or NpgsqlException)
            {
                var fault = exception is FaultException known ? known.Fault : Postgres.Faults.PostgresFaults.Classify(exception);
                if (told?.ToString() != fault.ToString())
                {
                    RuntimeLog.SampleFailed(log, "fence", fault);
                }

                told = fault;
            }

            await Task.Delay(Interval, time, stop).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    /// <summary>Looks once, and mends what is found. A side that was never prepared has no attempts.</summary>
    public async Task TurnAsync(CancellationToken cancellationToken)
    {
        if (await source.ReadAsync(cancellationToken) is not { } here || await target.ReadAsync(cancellationToken) is not { } there)
        {
            return;
        }

        await LiftAsync(source, here, "source", cancellationToken);
        await LiftAsync(target, there, "target", cancellationToken);
        await (here.IsLeftFor(there) ? OpenAsync(target, here, "target", cancellationToken)
            : there.IsLeftFor(here) ? OpenAsync(source, there, "source", cancellationToken)
            : Task.CompletedTask);
    }

    private async Task LiftAsync(FencedSide side, FenceRecord record, string name, CancellationToken cancellationToken)
    {
        if (record.IsForsaken && await side.UndoAsync(record.Token, onlyForsaken: true, cancellationToken))
        {
            RuntimeLog.FenceLifted(log, name, record.Token);
        }
    }

    private async Task OpenAsync(FencedSide side, FenceRecord left, string name, CancellationToken cancellationToken)
    {
        if (await side.OpenAsync(left.Token, left.Epoch, cancellationToken))
        {
            RuntimeLog.SideOpened(log, name, left.Token);
        }
    }
}
