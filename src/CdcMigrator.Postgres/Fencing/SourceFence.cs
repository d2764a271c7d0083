using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using Npgsql;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>
/// Denies writes on the side that is left: triggers, created disabled and enabled in one transaction that first locks all tables and so waits for every writer in flight and every prepared
/// transaction. They stop owners, superusers, SECURITY DEFINER functions and other sessions in the replica role alike; sessions that apply changes pass (<see cref="Connections.PostgresConnections.CreateApply"/>).
/// Every method may be repeated.
/// </summary>
public sealed class SourceFence(NpgsqlDataSource database, IReadOnlyList<TableName> tables, TimeProvider time)
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(50);

    /// <summary>Nobody writes who could queue up behind it; and it must outlast what a server takes to end an autovacuum that is in the way (deadlock_timeout).</summary>
    private static readonly TimeSpan LiftLockTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Code of the fault of tables that stayed locked.</summary>
    public const string Locked = "fence-locked";

    /// <summary>How long one attempt waits for locks; writers queue behind it so long. Between attempts they have up to as long.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long attempts go on before the fence gives up and leaves the side open.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The tables it was made for.</summary>
    internal IReadOnlyList<TableName> Tables => tables;

    /// <summary>Creates the trigger function and the disabled triggers on all tables and their partitions.</summary>
    /// <exception cref="FaultException">TimedOut: a table stayed locked; the message names who holds it. Configuration: the role may not create them.</exception>
    public Task PrepareAsync(CancellationToken cancellationToken) => RetryWhileLockedAsync(async (connection, all) =>
    {
        await ExecuteAsync(connection, FenceTriggers.Prepare, cancellationToken);
        await ExecuteAsync(connection, await FenceTriggers.MissingAsync(connection, all, cancellationToken), cancellationToken);
        return true;
    }, cancellationToken);

    /// <summary>Closes the side and writes the marker in the same transaction; L is read after its commit.</summary>
    /// <exception cref="FaultException">TimedOut: writers or locks did not go away in time; the side is open as before.</exception>
    public async Task<FenceMarker> CloseAsync(CancellationToken cancellationToken) =>
        (await CloseAsync(_ => Task.FromResult(true), (_, _) => Task.CompletedTask, always: true, cancellationToken))!;

    /// <summary>Closes the side if the first work of the transaction says so; null, and nothing is changed, where it does not.</summary>
    /// <param name="first">What must be true, and is made true, with it. Repeated where a table was locked.</param>
    /// <param name="last">What is noted of it in the same transaction, with the relations that are closed.</param>
    /// <param name="always">Whether other sessions in the replica role are denied too: where nobody may write whose changes nobody waits for.</param>
    /// <param name="cancellationToken">Gives up; the side may then be closed.</param>
    /// <exception cref="FaultException">TimedOut: writers or locks did not go away in time; the side is open as before.</exception>
    internal async Task<FenceMarker?> CloseAsync(
        Func<NpgsqlConnection, Task<bool>> first, Func<NpgsqlConnection, IReadOnlyList<FencedRelation>, Task> last, bool always, CancellationToken cancellationToken)
    {
        var id = FenceTable.NewMarkerId();
        var closed = await RetryWhileLockedAsync(async (connection, all) =>
        {
            await EndMaintenanceAsync(connection, all, cancellationToken);
            if (await FenceTriggers.DisableAsync(connection, all, cancellationToken) is { Length: > 0 } && await FenceTriggers.PassAsync(connection, hold: false, cancellationToken))
            {
                // Opened without its tables' locks. Writers lock the row in these triggers, behind a table's lock: whoever changed the row first would have to give way to each of them.
                all = await LockAllAsync(connection, all, cancellationToken);
            }

            if (!await first(connection))
            {
                return false;
            }

            if (all.Count > 0)
            {
                all = await LockAllAsync(connection, all, cancellationToken);
                await ExecuteAsync(connection, await FenceTriggers.MissingAsync(connection, all, cancellationToken), cancellationToken);
                await ExecuteAsync(connection, await FenceTriggers.EnableAsync(connection, all, always ? "enable always" : "enable", cancellationToken), cancellationToken);
            }

            await FenceTable.WriteAsync(connection, id, cancellationToken);
            await last(connection, all);
            return true;
        }, cancellationToken);
        if (!closed)
        {
            return null;
        }

        await using var after = await database.OpenConnectionAsync(cancellationToken);
        return new FenceMarker(id, await FenceTable.CurrentLsnAsync(after, cancellationToken));
    }

    /// <summary>Opens the side again.</summary>
    public Task LiftAsync(CancellationToken cancellationToken) => LiftAsync(_ => Task.FromResult(true), cancellationToken);

    /// <summary>
    /// Opens the side if the first work of the transaction says so; false, and nothing is changed, where it does not. Where the tables' locks cannot be had but the row decides, the triggers stay enabled and let writes
    /// pass: <see cref="TidyAsync"/> disables them later.
    /// </summary>
    internal async Task<bool> LiftAsync(Func<NpgsqlConnection, Task<bool>> first, CancellationToken cancellationToken) => await RetryWhileLockedAsync(async (connection, transaction, all) =>
    {
        if (!await first(connection))
        {
            return LockedWork.Decline;
        }

        if (!await FenceTriggers.PassAsync(connection, hold: false, cancellationToken))
        {
            await DisableAsync(connection, all, cancellationToken);
            return LockedWork.Commit;
        }

        await transaction.SaveAsync("opened", cancellationToken);
        try
        {
            await ExecuteAsync(connection, $"set local lock_timeout = {Milliseconds(LockTimeout)}", cancellationToken);
            await DisableAsync(connection, all, cancellationToken);
        }
        catch (PostgresException exception) when (IsLocked(exception))
        {
            await transaction.RollbackAsync("opened", cancellationToken);
        }

        return LockedWork.Commit;
    }, cancellationToken, LiftLockTimeout) == LockedWork.Commit;

    /// <summary>Disables triggers that an opening had to leave enabled: one try, in the way of writers for no longer than one attempt of a close. False where there are none, or the side is not open.</summary>
    /// <exception cref="FaultException">TimedOut: a table is locked still; the message names who holds it.</exception>
    public async Task<bool> TidyAsync(CancellationToken cancellationToken)
    {
        await using (var connection = await database.OpenConnectionAsync(cancellationToken))
        {
            var all = await FencedRelations.ReadAsync(connection, tables, cancellationToken);
            if (await FenceTriggers.DisableAsync(connection, all, cancellationToken) is { Length: 0 } || !await FenceTriggers.PassAsync(connection, hold: false, cancellationToken))
            {
                return false;
            }
        }

        return await RetryWhileLockedAsync(async (connection, _, all) =>
        {
            await EndMaintenanceAsync(connection, all, cancellationToken);
            all = await LockAllAsync(connection, all, cancellationToken);
            if (!await FenceTriggers.PassAsync(connection, hold: true, cancellationToken))
            {
                return LockedWork.Decline;
            }

            await DisableAsync(connection, all, cancellationToken);
            return LockedWork.Commit;
        }, cancellationToken, deadline: TimeSpan.Zero) == LockedWork.Commit;
    }

    /// <summary>Takes the locks an opening needs and keeps them, in a transaction that is the caller's to end. Writes are denied on both sides meanwhile: one long wait, then the holder is named.</summary>
    /// <param name="with">What is done and kept with them, in the same transaction. Repeated where a table was locked.</param>
    /// <param name="cancellationToken">Gives up; nothing is held then.</param>
    /// <exception cref="FaultException">TimedOut: a table stayed locked; the message names who holds it.</exception>
    internal async Task<(NpgsqlConnection Connection, NpgsqlTransaction Transaction, IReadOnlyList<FencedRelation> Relations)> HoldAsync(
        Func<NpgsqlConnection, Task> with, CancellationToken cancellationToken)
    {
        (NpgsqlConnection, NpgsqlTransaction, IReadOnlyList<FencedRelation>)? held = null;
        await RetryWhileLockedAsync(async (connection, transaction, all) =>
        {
            all = await LockAllAsync(connection, all, cancellationToken);
            await with(connection);
            held = (connection, transaction, all);
            return LockedWork.Keep;
        }, cancellationToken, LiftLockTimeout, LiftLockTimeout / 2);
        return held!.Value;
    }

    /// <summary>Disables the triggers, in a session that has locked the relations.</summary>
    internal static async Task DisableAsync(NpgsqlConnection connection, IReadOnlyList<FencedRelation> all, CancellationToken cancellationToken) =>
        await ExecuteAsync(connection, await FenceTriggers.DisableAsync(connection, all, cancellationToken), cancellationToken);

    /// <summary>Removes the triggers.</summary>
    public Task DropAsync(CancellationToken cancellationToken) => RetryWhileLockedAsync(async (connection, all) =>
    {
        await ExecuteAsync(connection, await FenceTriggers.DropAsync(connection, all, cancellationToken), cancellationToken);
        return true;
    }, cancellationToken);

    /// <summary>Tries a write of a role, of the kinds it may do, on every table, in a transaction that is always rolled back: it changes no row even where the side is open.</summary>
    /// <param name="role">A role of the application; the session must be allowed to take it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<WriteProbe> ProbeAsync(string role, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await WriteProbe.RunAsync(connection, role, await FencedRelations.ReadAsync(connection, tables, cancellationToken), LockTimeout, cancellationToken);
    }

    /// <summary>Writers wait for what this session has locked: where its owner is gone, or says nothing, the server ends it.</summary>
    internal const string QuickEnd = "set local idle_in_transaction_session_timeout = '10s'; set local tcp_keepalives_idle = 5; set local tcp_keepalives_interval = 2; set local tcp_keepalives_count = 3;";

    /// <summary>An autovacuum gives way only after this time, and of a deadlock the fence is the one that gives way. Where the role may not set it, the server's setting stands.</summary>
    private const string QuickDeadlocks = """
        do $body$ begin
            perform set_config('deadlock_timeout', '100ms', true);
        exception when insufficient_privilege then
            null;
        end $body$;
        """;

    /// <summary>
    /// Waits for what maintains the tables, with a lock that no writer waits for: an autovacuum gives way to it after the server's deadlock_timeout, which is longer than writers may be kept waiting, and none
    /// begins behind it.
    /// </summary>
    private async Task EndMaintenanceAsync(NpgsqlConnection connection, IReadOnlyList<FencedRelation> all, CancellationToken cancellationToken)
    {
        if (all.Count > 0)
        {
            await ExecuteAsync(connection, $"set local lock_timeout = {Milliseconds(LiftLockTimeout)}", cancellationToken);
            await LockAsync(connection, all, "share update exclusive", cancellationToken);
            await ExecuteAsync(connection, $"set local lock_timeout = {Milliseconds(LockTimeout)}", cancellationToken);
        }
    }

    /// <summary>Behind the locks of their parents no partition comes any more: those that came since are locked too.</summary>
    private async Task<IReadOnlyList<FencedRelation>> LockAllAsync(NpgsqlConnection connection, IReadOnlyList<FencedRelation> all, CancellationToken cancellationToken)
    {
        await LockAsync(connection, all, "share row exclusive", cancellationToken);
        var locked = all.Select(relation => relation.Oid).ToHashSet();
        all = await FencedRelations.ReadAsync(connection, tables, cancellationToken);
        await LockAsync(connection, [.. all.Where(relation => !locked.Contains(relation.Oid))], "share row exclusive", cancellationToken);
        return all;
    }

    /// <summary>The limit is for all tables together: writers wait for those that are locked already.</summary>
    private static async Task LockAsync(NpgsqlConnection connection, IReadOnlyList<FencedRelation> all, string mode, CancellationToken cancellationToken)
    {
        if (all.Count > 0)
        {
            await ExecuteAsync(connection, "select set_config('statement_timeout', (2 * setting::bigint)::text, true) from pg_catalog.pg_settings where name = 'lock_timeout'", cancellationToken);
            await ExecuteAsync(connection, $"lock table {string.Join(", ", all.Select(relation => relation.Name.Sql))} in {mode} mode", cancellationToken);
            await ExecuteAsync(connection, "set local statement_timeout = '5min'", cancellationToken);
        }
    }

    /// <summary>True once the work is committed; false where it declined, and then it is rolled back.</summary>
    private async Task<bool> RetryWhileLockedAsync(
        Func<NpgsqlConnection, IReadOnlyList<FencedRelation>, Task<bool>> work, CancellationToken cancellationToken, TimeSpan? lockTimeout = null) =>
        await RetryWhileLockedAsync(async (connection, _, all) => await work(connection, all) ? LockedWork.Commit : LockedWork.Decline, cancellationToken, lockTimeout) == LockedWork.Commit;

    private async Task<LockedWork> RetryWhileLockedAsync(
        Func<NpgsqlConnection, NpgsqlTransaction, IReadOnlyList<FencedRelation>, Task<LockedWork>> work, CancellationToken cancellationToken, TimeSpan? lockTimeout = null, TimeSpan? deadline = null)
    {
        var limit = deadline ?? Deadline;
        var started = time.GetTimestamp();
        var pause = RetryPause;
        while (true)
        {
            var connection = await database.OpenConnectionAsync(cancellationToken);
            NpgsqlTransaction? transaction = null;
            var kept = false;
            try
            {
                var all = await FencedRelations.ReadAsync(connection, tables, cancellationToken);
                transaction = await connection.BeginTransactionAsync(cancellationToken);
                try
                {
                    await ExecuteAsync(connection, $"set local lock_timeout = {Milliseconds(lockTimeout ?? LockTimeout)}; set local synchronous_commit = on; {QuickEnd} {QuickDeadlocks}", cancellationToken);
                    var done = await work(connection, transaction, all);
                    kept = done == LockedWork.Keep;
                    await (done == LockedWork.Commit ? transaction.CommitAsync(cancellationToken) : Task.CompletedTask);
                    return done;
                }
                catch (PostgresException exception) when (IsLocked(exception))
                {
                    await transaction.RollbackAsync(CancellationToken.None);
                    var blockers = await FenceBlockers.ReadAsync(connection, all, cancellationToken);
                    if (blockers.Stays || time.GetElapsedTime(started) > limit)
                    {
                        throw new FaultException(FaultKind.TimedOut, Locked,
                            $"The fence could not lock its tables{(blockers.Stays ? "" : $" within {limit.TotalSeconds:0.#} s")}, and nothing was changed; {blockers.What}",
                            $"{blockers.Fix}; then try again", exception);
                    }
                }
                catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.InsufficientPrivilege)
                {
                    throw new FaultException(FaultKind.Configuration, "fence-ownership", $"The role may not fence the tables: {exception.MessageText}",
                        "Only a table's owner may fence it: GRANT the owning roles to this one", exception);
                }
            }
            finally
            {
                if (!kept)
                {
                    await (transaction?.DisposeAsync() ?? ValueTask.CompletedTask);
                    await connection.DisposeAsync();
                }
            }

            await Task.Delay(pause, time, cancellationToken);
            pause = TimeSpan.FromTicks(Math.Min(2 * pause.Ticks, Math.Max(RetryPause.Ticks, LockTimeout.Ticks)));
        }
    }

    private static bool IsLocked(PostgresException exception) =>
        exception.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.QueryCanceled;

    private static long Milliseconds(TimeSpan time) => (long)time.TotalMilliseconds;

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        if (sql.Length > 0)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }
}
