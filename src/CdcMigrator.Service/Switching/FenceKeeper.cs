using System.Runtime.ExceptionServices;
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

    /// <summary>Looks once, and mends what is found. A side that was never prepared has no attempts; one that is away keeps no other closed.</summary>
    public async Task TurnAsync(CancellationToken cancellationToken)
    {
        var (here, lost) = await LiftAsync(source, "source", cancellationToken);
        var (there, away) = await LiftAsync(target, "target", cancellationToken);
        if ((lost ?? away) is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        if (here is not null && there is not null)
        {
            await (here.IsLeftFor(there) ? OpenAsync(target, here, "target", cancellationToken)
                : there.IsLeftFor(here) ? OpenAsync(source, there, "source", cancellationToken)
                : Task.CompletedTask);
        }
    }

    private async Task<(FenceRecord? Record, Exception? Failure)> LiftAsync(FencedSide side, string name, CancellationToken cancellationToken)
    {
        try
        {
            var record = await side.ReadAsync(cancellationToken);
            if (record is { IsForsaken: true } && await side.UndoAsync(record.Token, onlyForsaken: true, cancellationToken))
            {
                RuntimeLog.FenceLifted(log, name, record.Token);
            }

            return (record, null);
        }
        catch (Exception exception) when (exception is FaultException or NpgsqlException)
        {
            return (null, exception);
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
