using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using Npgsql;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>
/// Denies writes on the side that is left: statement triggers, created disabled and enabled in one transaction that first locks
/// all tables and so waits for every writer in flight and every prepared transaction. They stop owners, superusers and SECURITY
/// DEFINER functions alike; sessions with <c>session_replication_role = replica</c> (appliers) pass. Every method may be repeated.
/// </summary>
public sealed class SourceFence(NpgsqlDataSource database, IReadOnlyList<TableName> tables, TimeProvider time)
{
    private const string Trigger = "cdcm_fence";
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(50);

    /// <summary>Nobody writes who could queue up behind it; and it must outlast what a server takes to end an autovacuum that is in the way (deadlock_timeout).</summary>
    private static readonly TimeSpan LiftLockTimeout = TimeSpan.FromSeconds(5);

    /// <summary>How long one attempt waits for locks; writers queue behind it so long.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long attempts go on before the fence gives up and leaves the side open.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Creates the trigger function and the disabled triggers on all tables and their partitions.</summary>
    /// <exception cref="FaultException">TimedOut: a table stayed locked; the message names who holds it.</exception>
    public Task PrepareAsync(CancellationToken cancellationToken) => RetryWhileLockedAsync(async (connection, all) =>
    {
        await ExecuteAsync(connection, """
            create schema if not exists cdc_migrator;
            create table if not exists cdc_migrator.fence(id text primary key, v text);
            create or replace function cdc_migrator.deny_write() returns trigger language plpgsql as $body$
            begin
                raise exception 'writes to %.% are closed: the database is being moved', tg_table_schema, tg_table_name
                    using errcode = 'read_only_sql_transaction', hint = 'the application must write to the new database';
            end $body$;
            grant usage on schema cdc_migrator to public;
            """, cancellationToken);
        await CreateTriggersAsync(connection, all, cancellationToken);
        return true;
    }, cancellationToken);

    /// <summary>Closes the side and writes the marker in the same transaction; L is read after its commit.</summary>
    /// <exception cref="FaultException">TimedOut: writers or locks did not go away in time; the side is open as before.</exception>
    public async Task<FenceMarker> CloseAsync(CancellationToken cancellationToken) =>
        (await CloseAsync(_ => Task.FromResult(true), cancellationToken))!;

    /// <summary>Closes the side if the first work of the transaction says so; null, and nothing is changed, where it does not.</summary>
    /// <param name="first">What must be true, and is made true, with it. Repeated where a table was locked.</param>
    /// <param name="cancellationToken">Gives up; the side may then be closed.</param>
    /// <exception cref="FaultException">TimedOut: writers or locks did not go away in time; the side is open as before.</exception>
    internal async Task<FenceMarker?> CloseAsync(Func<NpgsqlConnection, Task<bool>> first, CancellationToken cancellationToken)
    {
        var id = FenceTable.NewMarkerId();
        var closed = await RetryWhileLockedAsync(async (connection, all) =>
        {
            if (!await first(connection))
            {
                return false;
            }

            if (all.Count > 0)
            {
                await LockAsync(connection, all, cancellationToken);

                // Behind the locks of their parents no partition comes any more: those that came since are fenced too.
                all = await WithPartitionsAsync(connection, cancellationToken);
                await LockAsync(connection, all, cancellationToken);
                await CreateTriggersAsync(connection, all, cancellationToken);
                await ExecuteAsync(connection, Toggle(all, "enable"), cancellationToken);
            }

            await FenceTable.WriteAsync(connection, id, cancellationToken);
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

    /// <summary>Opens the side if the first work of the transaction says so; false, and nothing is changed, where it does not.</summary>
    internal Task<bool> LiftAsync(Func<NpgsqlConnection, Task<bool>> first, CancellationToken cancellationToken) => RetryWhileLockedAsync(async (connection, all) =>
    {
        if (!await first(connection))
        {
            return false;
        }

        await ExecuteAsync(connection, Toggle(await WithTriggerAsync(connection, all, cancellationToken), "disable"), cancellationToken);
        return true;
    }, cancellationToken, LiftLockTimeout);

    /// <summary>Removes the triggers.</summary>
    public Task DropAsync(CancellationToken cancellationToken) => RetryWhileLockedAsync(async (connection, all) =>
    {
        await ExecuteAsync(connection, string.Concat(all.Select(table => $"drop trigger if exists {Trigger} on {table.Sql};")), cancellationToken);
        return true;
    }, cancellationToken);

    /// <summary>An autovacuum gives way only after this time. Where the role may not set it, the server's setting stands.</summary>
    private const string QuickDeadlocks = """
        do $body$ begin
            perform set_config('deadlock_timeout', '100ms', true);
        exception when insufficient_privilege then
            null;
        end $body$;
        """;

    private static Task LockAsync(NpgsqlConnection connection, IReadOnlyList<TableName> all, CancellationToken cancellationToken) =>
        ExecuteAsync(connection, $"lock table {string.Join(", ", all.Select(table => table.Sql))} in share row exclusive mode", cancellationToken);

    /// <summary>Those that have the trigger: a partition or table that came meanwhile has none, and must not keep the others closed.</summary>
    private static async Task<IReadOnlyList<TableName>> WithTriggerAsync(NpgsqlConnection connection, IReadOnlyList<TableName> all, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"select t.place from unnest($1::text[]) with ordinality as t(name, place) join pg_trigger g on g.tgrelid = t.name::regclass and g.tgname = '{Trigger}'", connection)
        {
            Parameters = { new NpgsqlParameter { Value = all.Select(table => table.Sql).ToArray() } },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var some = new List<TableName>();
        while (await reader.ReadAsync(cancellationToken))
        {
            some.Add(all[(int)reader.GetInt64(0) - 1]);
        }

        return some;
    }

    private static string Toggle(IReadOnlyList<TableName> all, string verb) =>
        string.Concat(all.Select(table => $"alter table {table.Sql} {verb} trigger {Trigger};"));

    private static async Task CreateTriggersAsync(NpgsqlConnection connection, IReadOnlyList<TableName> all, CancellationToken cancellationToken)
    {
        foreach (var table in all)
        {
            await ExecuteAsync(connection, $"""
                do $body$ begin
                    if not exists (select from pg_trigger where tgrelid = {Literal(table.Sql)}::regclass and tgname = '{Trigger}') then
                        create trigger {Trigger} before insert or update or delete or truncate on {table.Sql}
                            for each statement execute function cdc_migrator.deny_write();
                        alter table {table.Sql} disable trigger {Trigger};
                    end if;
                end $body$;
                """, cancellationToken);
        }

    }

    /// <summary>True once the work is committed; false where it declined, and then it is rolled back.</summary>
    private async Task<bool> RetryWhileLockedAsync(Func<NpgsqlConnection, IReadOnlyList<TableName>, Task<bool>> work, CancellationToken cancellationToken, TimeSpan? lockTimeout = null)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            await using var connection = await database.OpenConnectionAsync(cancellationToken);
            var all = await WithPartitionsAsync(connection, cancellationToken);
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            try
            {
                await ExecuteAsync(connection, $"set local lock_timeout = {(long)(lockTimeout ?? LockTimeout).TotalMilliseconds}; set local synchronous_commit = on; {QuickDeadlocks}", cancellationToken);
                if (!await work(connection, all))
                {
                    return false;
                }

                await transaction.CommitAsync(cancellationToken);
                return true;
            }
            catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected)
            {
                await transaction.RollbackAsync(CancellationToken.None);
                if (time.GetElapsedTime(started) > Deadline)
                {
                    throw new FaultException(FaultKind.TimedOut, "fence-locked",
                        $"The fence could not lock its tables within {Deadline.TotalSeconds:0} s; {await BlockersAsync(connection, all, cancellationToken)}",
                        "End that session or wait for it, then try again; nothing was changed", exception);
                }
            }

            await Task.Delay(RetryPause, time, cancellationToken);
        }
    }

    /// <summary>
    /// The tables that exist here with all partitions below them: a statement trigger fires only for the table a statement names. In the
    /// order the migration lists them, which is the order they are locked in: the one in which applications write them waits for nobody
    /// who waits for us.
    /// </summary>
    private async Task<IReadOnlyList<TableName>> WithPartitionsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("""
            with recursive named as (
                select c.oid, t.place from pg_class c join pg_namespace n on n.oid = c.relnamespace
                join unnest($1::text[], $2::text[]) with ordinality as t(s, r, place) on n.nspname = t.s and c.relname = t.r
                union
                select i.inhrelid, named.place from named join pg_inherits i on i.inhparent = named.oid)
            select n.nspname, c.relname from named join pg_class c using (oid) join pg_namespace n on n.oid = c.relnamespace
            where c.relkind in ('r', 'p') group by 1, 2 order by min(named.place), 1, 2
            """, connection)
        {
            Parameters =
            {
                new NpgsqlParameter { Value = tables.Select(table => table.Schema).ToArray() },
                new NpgsqlParameter { Value = tables.Select(table => table.Name).ToArray() },
            },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var all = new List<TableName>();
        while (await reader.ReadAsync(cancellationToken))
        {
            all.Add(new TableName(reader.GetString(0), reader.GetString(1)));
        }

        return all;
    }

    private static async Task<string> BlockersAsync(NpgsqlConnection connection, IReadOnlyList<TableName> all, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("""
            select string_agg(distinct format('%s is locked by %s', l.relation::regclass, case when l.pid is null then 'a prepared transaction'
                else format('pid %s (%s, %s since %s)', a.pid, coalesce(nullif(a.application_name, ''), a.usename), a.state, a.xact_start::timestamptz(0)) end), '; ')
            from pg_locks l left join pg_stat_activity a on a.pid = l.pid
            where l.relation = any($1::regclass[]) and l.granted and l.mode in ('RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareLock',
                'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock') and l.pid is distinct from pg_backend_pid()
            """, connection)
        {
            Parameters = { new NpgsqlParameter { Value = all.Select(table => table.Sql).ToArray() } },
        };
        return await command.ExecuteScalarAsync(cancellationToken) as string ?? "no holder was found any more";
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        if (sql.Length > 0)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    private static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
