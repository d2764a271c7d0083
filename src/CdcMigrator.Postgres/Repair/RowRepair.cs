using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Postgres.Apply;
using CdcMigrator.Postgres.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.Repair;

/// <summary>
/// Writes wrong rows of the target as the source has them (rule R5), whichever process owns their lanes, while changes go on: rows and the journal's record of them in
/// one transaction that never writes over a newer change (<see cref="RepairTransaction"/>). May be repeated, by several processes at once. Thread-safe.
/// </summary>
/// <param name="store">Sessions, plans and the source's rows.</param>
public sealed class RowRepair(PostgresLaneStore store)
{
    private const int Attempts = 5;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>Repairs rows, all together where that goes, else one by one, so that one that cannot be repaired keeps no other from it.</summary>
    /// <param name="order">The table.</param>
    /// <param name="keys">The rows.</param>
    /// <param name="cancellationToken">Stops it; what was committed stays.</param>
    /// <returns>One a key, and one for each further row that had to be repaired with them.</returns>
    /// <exception cref="FaultException">NotAllowed: applications write to this side, the lanes are frozen, the table has no key, or another one. Unreachable, Configuration: a side does not answer, or refuses.</exception>
    public async Task<IReadOnlyList<RepairOutcome>> RepairAsync(RepairOrder order, IReadOnlyCollection<RowKey> keys, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(order);
        ArgumentNullException.ThrowIfNull(keys);
        if (order.Table.IsKeyless || order.Route.IsKeyless)
        {
            throw new FaultException(FaultKind.NotAllowed, "keyless", $"Table {order.Route.Source} has no key, so that no row of it can be told from others like it",
                "Move the table anew, or mend both sides by SQL behind a drained log");
        }

        if (store.Source is null)
        {
            throw new FaultException(FaultKind.NotAllowed, "no-source", "The source's rows cannot be read", "Give the migration access to the source");
        }

        try
        {
            return await TogetherAsync(order, keys, cancellationToken);
        }
        catch (Exception refusal) when (keys.Count > 0 && IsOfRow(refusal))
        {
            var outcomes = new Dictionary<RowKey, RepairOutcome>();
            foreach (var key in keys)
            {
                if (!outcomes.TryGetValue(key, out var done) || done.Fault is not null)
                {
                    foreach (var outcome in await AloneAsync(order, key, cancellationToken))
                    {
                        outcomes[outcome.Key] = outcome;
                    }
                }
            }

            return [.. outcomes.Values];
        }
    }

    private Task<IReadOnlyList<RepairOutcome>> TogetherAsync(RepairOrder order, IReadOnlyCollection<RowKey> keys, CancellationToken cancellationToken) =>
        InTransactionAsync(order, keys, async (transaction, parked) =>
        {
            var free = keys.Where(key => parked?.Contains(key) == false).ToList();
            var rows = free.Count == 0 ? [] : await transaction.RepairAsync(free, cancellationToken);
            return (rows, keys.Where(key => parked?.Contains(key) != false).Select(key => new RepairOutcome(key, RepairAction.None, Parked(order))));
        }, cancellationToken);

    private async Task<IReadOnlyList<RepairOutcome>> AloneAsync(RepairOrder order, RowKey key, CancellationToken cancellationToken)
    {
        try
        {
            return await InTransactionAsync(order, [key], async (transaction, parked) => parked?.Contains(key) == false
                ? (await transaction.RepairAsync(key, parked, cancellationToken), [])
                : ([], [new RepairOutcome(key, RepairAction.None, Parked(order))]), cancellationToken);
        }
        catch (Exception refusal) when (IsOfRow(refusal))
        {
            var fault = refusal is SourceValueException value ? value.Fault : PostgresFaults.Classify(refusal);
            return [new RepairOutcome(key, RepairAction.None, fault with { Table = order.Route.Source.ToString() })];
        }
    }

    private async Task<IReadOnlyList<RepairOutcome>> InTransactionAsync(
        RepairOrder order,
        IReadOnlyCollection<RowKey> keys,
        Func<RepairTransaction, IReadOnlySet<RowKey>?, Task<(IReadOnlyList<RepairRow> Rows, IEnumerable<RepairOutcome> Stay)>> work,
        CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            ApplySession? session = null;
            var sound = false;
            try
            {
                session = await store.Sessions.TakeAsync(cancellationToken);
                await using var transaction = await session.Connection.BeginTransactionAsync(cancellationToken);
                var repair = new RepairTransaction(store, session, order);
                var (rows, stay) = await work(repair, await repair.BeginAsync(cancellationToken));
                if (order.DryRun)
                {
                    await transaction.RollbackAsync(cancellationToken);
                }
                else
                {
                    await (rows.Count == 0 ? Task.CompletedTask : repair.NoteAsync(rows, cancellationToken));
                    await transaction.CommitAsync(cancellationToken);
                }

                sound = true;
                return [.. rows.Select(row => new RepairOutcome(row.Key, row.Action, null)), .. stay];
            }
            catch (Exception exception) when (exception is not OperationCanceledException && !IsOfRow(exception))
            {
                // What waits for others stays for now; a connection that broke may have committed, and the same again changes nothing.
                var fault = PostgresFaults.ToException(exception);
                if (fault.Fault.Code is "source-not-visible" or "lanes-unclaimed")
                {
                    return [.. keys.Select(key => new RepairOutcome(key, RepairAction.None, fault.Fault))];
                }

                if (fault.Fault.Kind != FaultKind.Transient || attempt == Attempts)
                {
                    throw fault;
                }
            }
            finally
            {
                if (session is not null)
                {
                    await (sound ? store.Sessions.ReturnAsync(session) : ApplySessions.DiscardAsync(session));
                }
            }

            await Task.Delay(Pause * attempt, store.Time, cancellationToken);
        }
    }

    private static bool IsOfRow(Exception exception) => exception is SourceValueException or RowConflictException
        || (exception is PostgresException error && PostgresFaults.IsRowError(error)) || exception is FaultException { Fault.Kind: FaultKind.Poison };

    private static Fault Parked(RepairOrder order) => new(
        FaultKind.Poison, "repair-behind-parked", $"Changes of the row are parked as dead letters, and would be applied over a repaired row",
        $"'cdcm dlq retry --table {order.Route.Source}' applies them; after 'cdcm dlq discard' the row can be repaired");
}
