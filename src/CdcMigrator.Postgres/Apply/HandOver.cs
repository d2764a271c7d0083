using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using Npgsql;

namespace CdcMigrator.Postgres.Apply;

/// <summary>
/// Applies a range of changes whose rows are refused for unique values that rows of other lanes hold (invariant A6), all together: the rule is that of
/// <see cref="BlockedChange"/>, but one look finds every holder, and one question asks the source about all of them. Holders that are no longer in the way
/// there are removed until their own changes come; rows whose holders have the value rightly are replaced by the source's present rows. What
/// this does not settle is left to <see cref="SplitApply"/> and <see cref="BlockedChange"/>, one change at a time.
/// </summary>
internal sealed class HandOver(PostgresLaneStore store, PostgresLaneWriter writer)
{
    /// <summary>A table has few unique indexes, and a row that is written in place of another may be refused anew.</summary>
    private const int MostRounds = 16;

    private readonly UniqueHolders holders = new(store.Plans);

    /// <summary>Rows replaced by the source's present ones: a second time nothing is gained.</summary>
    private readonly HashSet<int> replaced = [];

    /// <summary>Commits the range and moves progress; false where that does not go, with nothing changed.</summary>
    /// <param name="net">The range's net effect; what was written in place of its rows stays in it.</param>
    /// <param name="to">Where progress moves to.</param>
    /// <param name="refusal">Why the range was refused.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<bool> TryAsync(NetEffect net, long to, PostgresException refusal, CancellationToken cancellationToken)
    {
        if (store.Source is not { } source)
        {
            return false;
        }

        try
        {
            var (rounds, removed) = (0, 0);
            var done = await writer.TryCommitAsync(net, to, async (session, exception) =>
            {
                if (rounds++ == MostRounds || exception is not PostgresException cause)
                {
                    return false;
                }

                if (rounds == 1)
                {
                    await WaitForOthersAsync(session.Connection, cancellationToken);
                }

                var gone = await ClearAsync(source, session.Connection, net, cause, cancellationToken);
                removed += gone ?? 0;
                return gone is not null;
            }, cancellationToken, refusal);
            if (done)
            {
                foreach (var row in replaced.Where(row => net.Rows[row].Kind == WriteKind.None))
                {
                    store.Metrics.Gone(net.RouteOf(net.Rows[row]));
                }

                PostgresLog.HandedOver(store.Log, writer.Lane, to, removed, replaced.Count);
            }

            return done;
        }
        catch (FaultException fault) when (fault.Fault.Kind is not (FaultKind.Fenced or FaultKind.NotAllowed))
        {
            // The changes are dealt with one by one then, which waits for the source, or names the row.
            PostgresLog.SourceNotAsked(store.Log, writer.Lane, to, fault.Fault.Message);
            return false;
        }
    }

    /// <summary>One lane of a topic at a time: two that want each other's values would lock each other's rows, and one of them would be ended for it.</summary>
    private async Task WaitForOthersAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('cdc_migrator.hand_over ' || $1, 0))", connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = $"{store.Migration} {writer.Lane.Topic}" });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Makes way for the rows of one index that are refused: how many holders were removed; null where nothing was done.</summary>
    private async Task<int?> ClearAsync(ISourceRows source, NpgsqlConnection connection, NetEffect net, PostgresException cause, CancellationToken cancellationToken)
    {
        if (RouteOf(net) is not { } route
            || await holders.FindAsync(connection, net, route, cause, cancellationToken) is not { Pairs.Count: > 0 } found)
        {
            return null;
        }

        // Locks, then the question which transactions run, then a read that sees them all: see UniqueHolder.
        var running = await source.ReadRunningAsync(cancellationToken);
        var now = await source.ReadAsync(route, found.Keys, found.Rule.Columns, running, cancellationToken);
        var rightful = await UniqueHolders.StillInTheWayAsync(connection, net, found, now, cancellationToken);
        var gone = found.Pairs.Where(pair => !rightful.Contains(pair)).Select(pair => pair.Holder).Distinct().ToList();
        if (gone.Count > 0 && await holders.RemoveAsync(connection, route, [.. gone.Select(holder => found.Keys[holder])], cancellationToken) != gone.Count)
        {
            return null;
        }

        // A holder that goes for one row is not in the way of another.
        var rows = rightful.Where(pair => !gone.Contains(pair.Holder)).Select(pair => pair.Row).Distinct().ToList();
        if (!rows.TrueForAll(replaced.Add))
        {
            return null;
        }

        if (rows.Count > 0)
        {
            await store.Reselection.CompleteAsync(net, rows, whole: true, cancellationToken);
        }

        return gone.Count;
    }

    /// <summary>The table of the range; null where it has several, which topics do not have as a rule.</summary>
    private static TableRoute? RouteOf(NetEffect net)
    {
        TableRoute? only = null;
        foreach (var row in net.Rows)
        {
            var route = net.RouteOf(row);
            if (only is not null && route != only)
            {
                return null;
            }

            only = route;
        }

        return only;
    }
}
