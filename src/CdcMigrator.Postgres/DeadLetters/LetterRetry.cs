using CdcMigrator.Domain.Faults;
using CdcMigrator.Postgres.Apply;
using CdcMigrator.Postgres.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.DeadLetters;

/// <summary>
/// Applies the dead letters of one row within an open transaction: all of them, or none. Where the source can be asked the row becomes what it is there: letters may be repeats of what was applied long ago,
/// of which the later ones were recognised and left out. Where another row holds a unique value it needs, the source decides as it does for a lane: a holder that no longer has the value goes.
/// </summary>
internal sealed class LetterRetry(PostgresLaneStore store, ApplySession session, LetterDecoding decoding)
{
    private const int MostRemovals = 20;
    private readonly GroupExecution execution = new(session, store.Plans, store.Reselection);
    private readonly UniqueHolder holders = new(store.Plans, store.Source);

    /// <summary>Returns why they cannot be applied, with the transaction as it was before; null where they are.</summary>
    public async Task<Fault?> ApplyAsync(CancellationToken cancellationToken)
    {
        if (decoding.Fault is { } undecodable)
        {
            return undecodable;
        }

        try
        {
            var refusal = await WriteAsync(cancellationToken);
            if (refusal is not null && BlockedChange.IsConflict(refusal) && store.Source is not null)
            {
                // The row may have given the value up since it was read.
                refusal = await WriteAsync(cancellationToken);
            }

            return refusal is null ? null : Named(refusal is PostgresException error
                ? PostgresFaults.Classify(error)
                : new Fault(FaultKind.Poison, "unique-conflict", refusal.Message));
        }
        catch (FaultException exception) when (exception.Fault.Kind is FaultKind.Poison)
        {
            await RollBackAsync(cancellationToken);
            return Named(exception.Fault);
        }
    }

    private async Task<Exception?> WriteAsync(CancellationToken cancellationToken)
    {
        if (BatchParts.EndOfRoutes(decoding.Batch, decoding.Start, decoding.Batch.Changes.Count) < decoding.Batch.Changes.Count)
        {
            throw new FaultException(FaultKind.Transient, "routes-changed", "The target's tables were read anew while dead letters were decoded", "Try again");
        }

        // No position to compare with: the lane is past these changes, which were not applied. A truncate that came in another lane may have passed them.
        var truncations = await Truncations.ReadAsync(session.Connection, store.Migration, decoding.Batch.Lane, cancellationToken);
        var net = NetEffect.Of(decoding.Batch, decoding.Start, decoding.Batch.Changes.Count, default, truncations);
        for (var removals = 0; ; removals++)
        {
            await ExecuteAsync("savepoint letter", cancellationToken);
            try
            {
                if (removals == 0)
                {
                    await (store.Source is null ? store.Reselection.CompleteInsertsAsync(net, cancellationToken) : store.Reselection.TakeAllAsync(net, cancellationToken));
                }

                await execution.ExecuteAsync(null, net, await execution.PrepareAsync(net.Group(), copy: false, cancellationToken), copy: false, cancellationToken);
                await ExecuteAsync("release savepoint letter", cancellationToken);
                Count(net);
                return null;
            }
            catch (Exception refusal) when (refusal is RowConflictException || (refusal is PostgresException error && PostgresFaults.IsRowError(error)))
            {
                await RollBackAsync(cancellationToken);
                if (!BlockedChange.IsConflict(refusal) || removals == MostRemovals || !await TryClearAsync(net, refusal, cancellationToken))
                {
                    return refusal;
                }
            }
        }
    }

    private async Task<bool> TryClearAsync(NetEffect net, Exception refusal, CancellationToken cancellationToken) =>
        await holders.FindAsync(session.Connection, net, refusal, keep: true, cancellationToken) is { } holder
        && await holders.TryRemoveAsync(session.Connection, net, holder, cancellationToken);

    private void Count(NetEffect net)
    {
        foreach (var ((route, operation), count) in net.Counts)
        {
            store.Metrics.Applied(route, operation, count);
        }

        foreach (var (route, count) in net.ReselectedByTable)
        {
            store.Metrics.Reselected(route, count);
        }
    }

    private Fault Named(Fault fault) => RowFaults.Of(decoding.Batch, decoding.Batch.Changes[^1], fault);

    private Task RollBackAsync(CancellationToken cancellationToken) => ExecuteAsync("rollback to savepoint letter; release savepoint letter", cancellationToken);

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, session.Connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
