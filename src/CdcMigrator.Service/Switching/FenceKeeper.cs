using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Runtime;
using Reading = (CdcMigrator.Domain.Fencing.FenceRecord? Record, System.Exception? Failure);

namespace CdcMigrator.Service.Switching;

/// <summary>
/// Ends what a dead coordinator left, in whichever process lives: before the seal it lifts a fence whose lease is over, after it it opens the side that takes over.
/// Two open sides it makes one again: the one that was opened later stays. All of it is compare-and-set in the database, so that it may act on what it read long ago, beside others that do the same.
/// </summary>
/// <param name="source">The source of the migration file.</param>
/// <param name="target">Its target.</param>
/// <param name="ended">Told of what it ended: applications are to be told where to write.</param>
/// <param name="time">Clock of looks and pauses.</param>
/// <param name="log">Where to log.</param>
internal sealed class FenceKeeper(FencedSide source, FencedSide target, EndedForOthers ended, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>A coordinator that lives opens at once behind its seal. What one holds that says nothing for longer is taken from it: whoever opens does the same.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(2);

    /// <summary>How long a side that is to be lifted waits for the other one: writes are to be allowed within the lease, of which there are two seconds left for a look and the lift.</summary>
    private static readonly TimeSpan OthersPatience = TimeSpan.FromMilliseconds(500);
    private readonly ConcurrentDictionary<FencedSide, FenceRecord> known = new();
    private string? waitsFor;

    /// <summary>Looks once a second until stopped: at each side by itself, so that none waits for the other one to be lifted, and at both together.</summary>
    public Task RunAsync(CancellationToken stop) => Task.WhenAll(
        KeepAsync(token => LookAsync(source, target, token), stop),
        KeepAsync(token => LookAsync(target, source, token), stop),
        KeepAsync(async token => await MendAsync(await ReadAsync(source, target, token), token), stop));

    private async Task KeepAsync(Func<CancellationToken, Task> turn, CancellationToken stop)
    {
        Fault? told = null;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await turn(stop);
                told = null;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !stop.IsCancellationRequested)
            {
                // Whatever it is: where nobody keeps the fences, a side stays closed whose coordinator died.
                var fault = Postgres.Faults.PostgresFaults.Classify(exception);
                if (told?.ToString() != fault.ToString())
                {
                    RuntimeLog.SampleFailed(log, "fence", fault);
                }

                told = fault;
            }

            await Task.Delay(Interval, time, stop).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    /// <summary>
    /// Looks once, and mends what is found. A side that was never prepared has no attempts; one that is away, or does not answer in time, keeps no other closed. A fence is not lifted
    /// where the other side is known to have been opened since: a side that came back from an older copy of itself would be the second open one.
    /// </summary>
    public async Task TurnAsync(CancellationToken cancellationToken)
    {
        var (here, there) = (ReadAsync(source, cancellationToken), ReadAsync(target, cancellationToken));
        var failures = await Task.WhenAll(LiftAsync(source, here, target, () => there, cancellationToken), LiftAsync(target, there, source, () => here, cancellationToken));
        var read = (await here, await there);
        if ((failures[0] ?? failures[1]) is { } failure && read is ({ Failure: null }, { Failure: null }))
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        await MendAsync(read, cancellationToken);
    }

    /// <summary>Looks once at one side. That it does not answer is said by whoever looks at both.</summary>
    private async Task LookAsync(FencedSide side, FencedSide other, CancellationToken cancellationToken)
    {
        if (await LiftAsync(side, ReadAsync(side, cancellationToken), other, () => ReadAsync(other, cancellationToken), cancellationToken) is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
    }

    /// <summary>What takes both rows: a side for which the other one was left is opened, and of two open ones one is shut.</summary>
    private async Task MendAsync((Reading Source, Reading Target) read, CancellationToken cancellationToken)
    {
        if ((read.Source.Failure ?? read.Target.Failure) is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        if ((read.Source.Record, read.Target.Record) is ({ } here, { } there))
        {
            using var limit = Limit(cancellationToken);
            await (here.IsLeftFor(there) ? OpenAsync(target, source, here, "target", limit.Token)
                : there.IsLeftFor(here) ? OpenAsync(source, target, there, "source", limit.Token)
                : here.IsOlderThan(there) || there.IsOlderThan(here) || (here.State == FenceState.Open && there.State == FenceState.Open) ? ShutAsync(here, there, limit.Token)
                : Task.CompletedTask);
        }
    }

    private async Task<(Reading First, Reading Second)> ReadAsync(FencedSide first, FencedSide second, CancellationToken cancellationToken)
    {
        var (one, other) = (ReadAsync(first, cancellationToken), ReadAsync(second, cancellationToken));
        return (await one, await other);
    }

    private async Task<Reading> ReadAsync(FencedSide side, CancellationToken cancellationToken)
    {
        try
        {
            var record = await side.ReadAsync(cancellationToken);
            if (record is not null)
            {
                known[side] = record;
            }

            return (record, null);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            return (null, exception);
        }
    }

    /// <summary>Lifts a fence whose lease is over.</summary>
    /// <param name="side">Whose.</param>
    /// <param name="reading">Its row.</param>
    /// <param name="other">The other side.</param>
    /// <param name="asking">Its row. Waited for only a moment: what was last known of it counts where it does not answer, for a side that was opened by a later attempt stays the later one.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Why it could not be lifted.</returns>
    private async Task<Exception?> LiftAsync(
        FencedSide side, Task<Reading> reading, FencedSide other, Func<Task<Reading>> asking, CancellationToken cancellationToken)
    {
        if ((await reading).Record is not { IsForsaken: true } record)
        {
            return null;
        }

        var there = asking();
        await Task.WhenAny(there, Task.Delay(OthersPatience, time, cancellationToken));
        if (record.IsOlderThan((there.IsCompletedSuccessfully ? (await there).Record : null) ?? known.GetValueOrDefault(other)))
        {
            return null;
        }

        var name = side == source ? "source" : "target";
        try
        {
            if (await Patience.AskAsync(name, Patience.Work, limit => side.UndoAsync(record.Token, onlyForsaken: true, limit), cancellationToken))
            {
                RuntimeLog.FenceLifted(log, name, record.Token);
                ended.Add(record.Token);
            }

            return null;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            return exception;
        }
    }

    /// <summary>
    /// No attempt leaves two open sides, nor a closed one beside an open one that it opened: one of them is an older copy of itself, or was changed by hand. Applications that write there write what nobody carries over, and each of these writes is one more that is lost. Where
    /// the rows do not tell which of both was left, nothing is touched.
    /// </summary>
    /// <exception cref="FaultException">NotAllowed <c>two-open-sides</c>.</exception>
    private async Task ShutAsync(FenceRecord here, FenceRecord there, CancellationToken cancellationToken)
    {
        foreach (var (side, own, opened, other, name) in new[] { (source, here, target, there, "source"), (target, there, source, here, "target") })
        {
            if (other.State == FenceState.Open && own.Epoch <= other.Epoch && await side.ShutAsync(own, other, await opened.WasOpenedByAsync(other.Token, cancellationToken), cancellationToken))
            {
                RuntimeLog.SideShut(log, name, own.Epoch, other.Epoch, other.Token);
                return;
            }
        }

        // Both were not read at one moment: an attempt may have passed between.
        if (here.Epoch == there.Epoch && (await source.ReadAsync(cancellationToken), await target.ReadAsync(cancellationToken)) is ({ State: FenceState.Open }, { State: FenceState.Open }))
        {
            throw TwoOpenSides();
        }
    }

    /// <summary>Both sides say that they are open.</summary>
    public static FaultException TwoOpenSides() => new(
        FaultKind.NotAllowed, "two-open-sides", "Both sides say that applications write there: one of them came back from an older copy of itself, or its row was changed by hand",
        "Keep applications away from the side that is not meant, and close it: 'cdcm cutover status' shows both; what is written there is carried over by nobody");

    /// <summary>Opens what an attempt left another side for, once it has all that the attempt noted with its seal. Sequences are moved on in any case: what came before is not known here.</summary>
    private async Task OpenAsync(FencedSide side, FencedSide other, FenceRecord left, string name, CancellationToken cancellationToken)
    {
        if (await side.EndHeldAsync(left.Token, Silence, cancellationToken))
        {
            return;
        }

        var check = new OpeningCheck(await other.ReadTermsAsync(left.Token, cancellationToken), moves: true);
        try
        {
            if (await side.OpenAsync(left.Token, left.Epoch, check, cancellationToken))
            {
                RuntimeLog.SideOpened(log, name, left.Token);
                ended.Add(left.Token);
                if (check.Elsewhere is { } elsewhere)
                {
                    RuntimeLog.SideOpenedElsewhere(log, name, elsewhere);
                }
            }
        }
        catch (FaultException exception) when (exception.Fault.Code == OpeningCheck.Behind)
        {
            // Said once: how far it has come is another sentence at every look.
            if (waitsFor != left.Token)
            {
                RuntimeLog.SideWaits(log, name, left.Token, exception.Fault);
            }

            waitsFor = left.Token;
            await (check.HasLost ? other.StopDirectionAsync(left.Token, cancellationToken) : Task.CompletedTask);
        }
    }

    /// <summary>A host that is lost between two words would hold up the other side too.</summary>
    private static CancellationTokenSource Limit(CancellationToken cancellationToken)
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience.Work);
        return limit;
    }
}
