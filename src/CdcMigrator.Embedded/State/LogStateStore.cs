using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using Npgsql;
using NpgsqlTypes;

namespace CdcMigrator.Embedded.State;

/// <summary>
/// The state row, on one connection that holds the migration's lock (a session advisory lock) as long as it lives. After a lost
/// connection the lock is taken again and the row's incarnation compared, so that a process that was replaced notices. Calls are
/// serialised.
/// </summary>
internal sealed class LogStateStore : IAsyncDisposable
{
    private readonly EmbeddedLogOptions options;
    private readonly string incarnation;
    private readonly SemaphoreSlim turn = new(1, 1);
    private NpgsqlConnection? connection;
    private bool owned;

    /// <summary>Prepares; nothing is connected yet.</summary>
    public LogStateStore(EmbeddedLogOptions options, string incarnation)
    {
        this.options = options;
        this.incarnation = incarnation;
    }

    /// <summary>Takes the lock, waiting up to <see cref="EmbeddedLogOptions.SlotWait"/>, and reads the row; null on a first start.</summary>
    /// <exception cref="FaultException">NotAllowed: <c>slot-in-use</c>, another process has the lock.</exception>
    public Task<LogState?> OpenAsync(CancellationToken cancellationToken) => RunAsync(ReadAsync, cancellationToken);

    /// <summary>First start: makes sure that the target tables are empty, locked against others meanwhile, and writes the row.</summary>
    /// <exception cref="FaultException">Configuration: <c>target-not-empty</c>, <c>target-table-missing</c>.</exception>
    public Task CreateAsync(LogState state, IReadOnlyList<TableName> mustBeEmpty, CancellationToken cancellationToken) =>
        InTransactionAsync(async (session, transaction) =>
        {
            foreach (var table in mustBeEmpty)
            {
                await TargetTables.CheckEmptyAsync(session, transaction, table, cancellationToken);
            }

            await using var command = new NpgsqlCommand("""
                insert into cdc_migrator.embedded_log(migration, incarnation, phase, slot, system_identifier, timeline, tables)
                values ($1, $2, $3, $4, $5, $6, $7)
                """, session, transaction)
            {
                Parameters =
                {
                    new() { Value = options.Migration }, new() { Value = incarnation }, new() { Value = Text(state.Phase) }, new() { Value = state.Slot },
                    new() { Value = state.SystemIdentifier }, new() { Value = state.Timeline }, new() { Value = state.Tables.ToArray() },
                },
            };
            await command.ExecuteNonQueryAsync(cancellationToken);
            owned = true;
        }, cancellationToken);

    /// <summary>Makes this life the row's owner and records the source's lineage.</summary>
    public Task TakeOverAsync(LogState state, CancellationToken cancellationToken) => RunAsync(async session =>
    {
        await using var command = new NpgsqlCommand("""
            update cdc_migrator.embedded_log
            set incarnation = $2, system_identifier = $3, timeline = $4, updated_at = now()
            where migration = $1
            """, session)
        {
            Parameters =
            {
                new() { Value = options.Migration }, new() { Value = incarnation }, new() { Value = state.SystemIdentifier }, new() { Value = state.Timeline },
            },
        };
        await command.ExecuteNonQueryAsync(cancellationToken);
        owned = true;
        return true;
    }, cancellationToken);

    /// <summary>
    /// Starts an interrupted snapshot over: in one transaction shuts out the lanes of former lives, takes the row over and deletes the
    /// tables' rows, which all came from the interrupted snapshot.
    /// </summary>
    /// <exception cref="FaultException">Internal: the row is not in its snapshot phase; nothing was deleted.</exception>
    /// <param name="state">What the row is to say.</param>
    /// <param name="clear">Target tables of the interrupted snapshot.</param>
    /// <param name="mustBeEmpty">Target tables it did not have.</param>
    /// <param name="shutLanesOut">Whether lanes of a former life may still hold rows of it.</param>
    /// <param name="cancellationToken">Gives up; the outcome is then unknown, and the call may be repeated.</param>
    public Task RestartSnapshotAsync(
        LogState state, IReadOnlyList<TableName> clear, IReadOnlyList<TableName> mustBeEmpty, bool shutLanesOut, CancellationToken cancellationToken) =>
        InTransactionAsync(async (session, transaction) =>
        {
            await using var command = new NpgsqlCommand("""
                update cdc_migrator.embedded_log
                set incarnation = $2, system_identifier = $3, timeline = $4, tables = $5, confirmed_lsn = null, updated_at = now()
                where migration = $1 and phase = 'snapshot'
                """, session, transaction)
            {
                Parameters =
                {
                    new() { Value = options.Migration }, new() { Value = incarnation }, new() { Value = state.SystemIdentifier },
                    new() { Value = state.Timeline }, new() { Value = state.Tables.ToArray() },
                },
            };
            if (await command.ExecuteNonQueryAsync(cancellationToken) != 1)
            {
                throw new FaultException(FaultKind.Internal, "not-in-snapshot", $"The embedded log of {options.Migration} is not in its snapshot; the target's rows stay");
            }

            if (shutLanesOut)
            {
                await TargetTables.ShutLanesOutAsync(session, transaction, options.Migration, cancellationToken);
            }

            await TargetTables.ClearAsync(session, transaction, clear, cancellationToken);
            foreach (var table in mustBeEmpty)
            {
                await TargetTables.CheckEmptyAsync(session, transaction, table, cancellationToken);
            }

            owned = true;
        }, cancellationToken);

    /// <summary>Writes phase, the bound of confirmed positions and from where changes are published. Only the owner's write counts.</summary>
    /// <exception cref="FaultException">Fenced: another life owns the row.</exception>
    public Task SetPhaseAsync(EmbeddedLogPhase phase, ulong? confirmed, ulong activeFrom, CancellationToken cancellationToken) => RunAsync(async session =>
    {
        await using var command = new NpgsqlCommand("""
            update cdc_migrator.embedded_log
            set phase = $3, confirmed_lsn = coalesce($4, confirmed_lsn), active_from = $5, updated_at = now()
            where migration = $1 and incarnation = $2
            """, session)
        {
            Parameters =
            {
                new() { Value = options.Migration }, new() { Value = incarnation }, new() { Value = Text(phase) },
                new() { Value = confirmed is { } lsn ? new NpgsqlLogSequenceNumber(lsn) : DBNull.Value, NpgsqlDbType = NpgsqlDbType.PgLsn },
                new() { Value = new NpgsqlLogSequenceNumber(activeFrom), NpgsqlDbType = NpgsqlDbType.PgLsn },
            },
        };
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1 ? true : throw Superseded();
    }, cancellationToken);

    /// <summary>Writes the position the slot is about to be told.</summary>
    /// <param name="lsn">The position.</param>
    /// <param name="phase">What the log does: a position that was reached by dropping changes says nothing once they are to be published.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="FaultException">Fenced: another life owns the row. NotAllowed <see cref="LogRunner.Turned"/>: the log is in another phase.</exception>
    public Task ConfirmAsync(ulong lsn, EmbeddedLogPhase phase, CancellationToken cancellationToken) => RunAsync(async session =>
    {
        await using var command = new NpgsqlCommand(
            "update cdc_migrator.embedded_log set confirmed_lsn = $3, updated_at = now() where migration = $1 and incarnation = $2 and phase = $4", session)
        {
            Parameters =
            {
                new() { Value = options.Migration }, new() { Value = incarnation }, new() { Value = new NpgsqlLogSequenceNumber(lsn), NpgsqlDbType = NpgsqlDbType.PgLsn },
                new() { Value = Text(phase) },
            },
        };
        if (await command.ExecuteNonQueryAsync(cancellationToken) == 1)
        {
            return true;
        }

        throw (await ReadAsync(session))?.Incarnation == incarnation ? LogRunner.HasTurned(options.Migration) : Superseded();
    }, cancellationToken);

    /// <summary>Reads the row again.</summary>
    public Task<LogState?> LoadAsync(CancellationToken cancellationToken) => RunAsync(ReadAsync, cancellationToken);

    /// <summary>Forgets the migration's embedded log.</summary>
    public Task DeleteAsync(CancellationToken cancellationToken) => RunAsync(async session =>
    {
        await using var command = new NpgsqlCommand("delete from cdc_migrator.embedded_log where migration = $1", session)
        { Parameters = { new() { Value = options.Migration } } };
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }, cancellationToken);

    /// <summary>Gives the lock back.</summary>
    public async ValueTask DisposeAsync()
    {
        await turn.WaitAsync();
        try
        {
            await CloseAsync();
        }
        finally
        {
            turn.Release();
            turn.Dispose();
        }
    }

    private static string Text(EmbeddedLogPhase phase) => phase switch
    {
        EmbeddedLogPhase.Snapshot => "snapshot",
        EmbeddedLogPhase.Streaming => "streaming",
        EmbeddedLogPhase.Passive => "passive",
        _ => throw new ArgumentOutOfRangeException(nameof(phase)),
    };

    private async Task<T> RunAsync<T>(Func<NpgsqlConnection, Task<T>> work, CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        try
        {
            return await work(await ConnectAsync(cancellationToken));
        }
        catch (PostgresException exception) when (!exception.IsTransient)
        {
            throw new FaultException(exception.SqlState is PostgresErrorCodes.InsufficientPrivilege ? FaultKind.Configuration : FaultKind.Transient, "target-error",
                $"The target refused a request of the embedded log: {exception.SqlState} {exception.MessageText}",
                "Preflight names the grants the migration's role needs on the target", exception);
        }
        catch (Exception exception) when (exception is NpgsqlException or IOException or TimeoutException or System.Net.Sockets.SocketException)
        {
            throw new FaultException(FaultKind.Unreachable, "target-unreachable", $"The target does not answer: {exception.Message}", inner: exception);
        }
        finally
        {
            turn.Release();
        }
    }

    private Task<bool> InTransactionAsync(Func<NpgsqlConnection, NpgsqlTransaction, Task> work, CancellationToken cancellationToken) => RunAsync(async session =>
    {
        await using var transaction = await session.BeginTransactionAsync(cancellationToken);
        await work(session, transaction);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }, cancellationToken);

    private async Task<NpgsqlConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        if (connection is { FullState: System.Data.ConnectionState.Open } open)
        {
            return open;
        }

        await CloseAsync();
        connection = await TargetTables.OpenAsync(options.TargetConnection, cancellationToken);
        try
        {
            await LockAsync(connection, cancellationToken);
            if (owned && (await ReadAsync(connection))?.Incarnation != incarnation)
            {
                throw Superseded();
            }

            return connection;
        }
        catch
        {
            await CloseAsync();
            throw;
        }
    }

    private async Task LockAsync(NpgsqlConnection session, CancellationToken cancellationToken)
    {
        var started = options.Time.GetTimestamp();
        while (true)
        {
            await using var command = new NpgsqlCommand("select pg_try_advisory_lock(hashtextextended('cdcm embedded log ' || $1, 0))", session)
            { Parameters = { new() { Value = options.Migration } } };
            if (await command.ExecuteScalarAsync(cancellationToken) is true)
            {
                return;
            }

            if (options.Time.GetElapsedTime(started) > options.SlotWait)
            {
                throw new FaultException(FaultKind.NotAllowed, "slot-in-use", $"Another process runs the embedded log of migration {options.Migration}",
                    "Stop that process; an embedded log has one");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), options.Time, cancellationToken);
        }
    }

    private async Task<LogState?> ReadAsync(NpgsqlConnection session)
    {
        await using var command = new NpgsqlCommand("""
            select phase, incarnation, slot, system_identifier, timeline, tables, coalesce(confirmed_lsn, '0/0'), active_from
            from cdc_migrator.embedded_log where migration = $1
            """, session)
        { Parameters = { new() { Value = options.Migration } } };
        await using var reader = await command.ExecuteReaderAsync();
        return await reader.ReadAsync()
            ? new LogState
            {
                Phase = Enum.Parse<EmbeddedLogPhase>(reader.GetString(0), ignoreCase: true),
                Incarnation = reader.GetString(1),
                Slot = reader.GetString(2),
                SystemIdentifier = reader.GetString(3),
                Timeline = reader.GetInt64(4),
                Tables = reader.GetFieldValue<string[]>(5),
                ConfirmedLsn = (ulong)reader.GetFieldValue<NpgsqlLogSequenceNumber>(6),
                ActiveFrom = (ulong)reader.GetFieldValue<NpgsqlLogSequenceNumber>(7),
            }
            : null;
    }

    private FaultException Superseded() =>
        new(FaultKind.Fenced, "superseded", $"Another process took the embedded log of migration {options.Migration} over", "Nothing is wrong; this process's log has ended");

    private async Task CloseAsync()
    {
        if (connection is not null)
        {
            await connection.DisposeAsync();
            connection = null;
        }
    }
}
