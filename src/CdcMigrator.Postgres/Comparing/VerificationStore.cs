using System.Text.Json;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Faults;
using CdcMigrator.Postgres.Fencing;
using Npgsql;
using NpgsqlTypes;

namespace CdcMigrator.Postgres.Comparing;

/// <summary>Runs, and what is known of tables, in the target's control schema. Every call may be repeated. Thread-safe.</summary>
/// <param name="target">The target, with its control schema.</param>
/// <param name="migration">Name of the migration.</param>
public sealed class VerificationStore(NpgsqlDataSource target, string migration)
{
    /// <summary>Channel of <see cref="WakeAsync"/>; what is told there is the migration's name.</summary>
    public const string Waking = "cdcm_verify";

    private readonly VerificationOwner own = new(target, migration);

    private const string RunColumns = """
        select r.run, r.state, r.requested_by, r.requested_at, r.finished_at, t.source_table, t.target_table, t.verdict, t.reason, t.rows_source, t.rows_target, t.wrong, t.in_flight, t.evidence
        from cdc_migrator.verification_run r left join cdc_migrator.verification_result t on t.migration = r.migration and t.run = r.run
        where r.migration = $1
        """;

    /// <summary>Asks for tables to be compared. A run under way goes on beside it for tables that are not asked for again.</summary>
    /// <returns>The run's number.</returns>
    public Task<long> RequestAsync(IReadOnlyCollection<TableMapping> tables, string actor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(tables);
        return RunAsync(async () =>
        {
            await using var command = Command(
                """
                with run as (insert into cdc_migrator.verification_run (migration, requested_by) values ($1, $2) returning run),
                asked as (insert into cdc_migrator.verification_result (migration, run, source_table, target_table)
                    select $1, run.run, s, t from run, unnest($3::text[], $4::text[]) as n(s, t) returning run)
                select run from asked limit 1
                """,
                actor, tables.Select(table => table.Source.ToString()).ToArray(), tables.Select(table => table.Target.ToString()).ToArray());
            return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
        });
    }

    /// <summary>Runs that are under way, oldest first.</summary>
    public Task<IReadOnlyList<VerificationRun>> ReadRunningAsync(CancellationToken cancellationToken) =>
        ReadRunsAsync($"{RunColumns} and r.state = 'running' order by r.run, t.source_table", cancellationToken);

    /// <summary>The last runs, newest first.</summary>
    public Task<IReadOnlyList<VerificationRun>> ReadRunsAsync(int most, CancellationToken cancellationToken) =>
        ReadRunsAsync(
            $"{RunColumns} and r.run in (select run from cdc_migrator.verification_run where migration = $1 order by run desc limit $2) order by r.run desc, t.source_table", cancellationToken, most);

    /// <summary>One run; null where there is none of that number.</summary>
    public async Task<VerificationRun?> ReadRunAsync(long run, CancellationToken cancellationToken) =>
        (await ReadRunsAsync($"{RunColumns} and r.run = $2 order by t.source_table", cancellationToken, run)).SingleOrDefault();

    /// <summary>Ends the runs that are under way without their results.</summary>
    /// <returns>Their numbers.</returns>
    public Task<IReadOnlyList<long>> StopAsync(CancellationToken cancellationToken) => RunAsync(async () =>
    {
        await using var command = Command("update cdc_migrator.verification_run set state = 'stopped', finished_at = clock_timestamp() where migration = $1 and state = 'running' returning run");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var stopped = new List<long>();
        while (await reader.ReadAsync(cancellationToken))
        {
            stopped.Add(reader.GetInt64(0));
        }

        return (IReadOnlyList<long>)stopped;
    });

    /// <summary>
    /// Makes this process the one whose findings count. It waits for a write that an earlier one has begun and shuts out every later one; how far the log is read is
    /// not known until the first sign of life.
    /// </summary>
    /// <returns>The owner's number, to be given with every write.</returns>
    /// <exception cref="FaultException">NotAllowed <c>direction-closed</c>: the migration does not go this way now.</exception>
    public Task<long> ClaimAsync(CancellationToken cancellationToken) => RunAsync(async () =>
    {
        await using var command = Command(
            $"""
            with side as (select {Directions.AppliedTo} as applied from cdc_migrator.fence_state where migration = $1 for share)
            insert into cdc_migrator.verification_beat as b (migration, at, behind, owner) select $1, clock_timestamp(), -1, 1 where not exists (select from side where not applied)
            on conflict (migration) do update set owner = b.owner + 1, behind = -1 returning owner
            """);
        return await command.ExecuteScalarAsync(cancellationToken) as long? ?? throw new FaultException(
            FaultKind.NotAllowed, "direction-closed", "Applications write to this side, or it was left without a way back: nothing is moved to it now that could be compared", "See 'cdcm cutover status'");
    });

    /// <summary>Notes what a run found of a table, and ends the run with its last one.</summary>
    /// <exception cref="FaultException">Fenced: another process compares.</exception>
    public Task NoteAsync(long run, TableResult result, long owner, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(result);
        return RunOwnedAsync(owner, async connection =>
        {
            // Tables end side by side: of two that are noted at once each would else see the other as still to come.
            await ExecuteAsync(connection, "select from cdc_migrator.verification_run where migration = $1 and run = $2 for update", cancellationToken, run);
            await ExecuteAsync(
                connection,
                """
                with noted as (update cdc_migrator.verification_result set verdict = $4, reason = nullif($5, ''), rows_source = $6, rows_target = $7, wrong = $8, in_flight = $9,
                    evidence = nullif($10, ''), finished_at = clock_timestamp() where migration = $1 and run = $2 and source_table = $3)
                update cdc_migrator.verification_run r set state = 'finished', finished_at = clock_timestamp() where migration = $1 and run = $2 and state = 'running'
                    and not exists (select from cdc_migrator.verification_result t where t.migration = $1 and t.run = $2 and t.source_table <> $3 and t.verdict is null)
                """,
                cancellationToken,
                run, result.Source.ToString(), result.Verdict.ToString()!, result.Reason ?? "", result.RowsSource, result.RowsTarget, result.Wrong, result.InFlight, result.Evidence ?? "");
        }, cancellationToken);
    }

    /// <summary>Leaves a sign of life.</summary>
    /// <param name="behind">Records the reader has still to read; -1 where that is not known.</param>
    /// <param name="fault">What keeps it from working.</param>
    /// <param name="owner">What <see cref="ClaimAsync"/> gave.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="FaultException">Fenced: another process compares.</exception>
    public Task BeatAsync(long behind, string? fault, long owner, CancellationToken cancellationToken) => RunAsync(async () =>
    {
        await using var command = Command(
            "update cdc_migrator.verification_beat set at = clock_timestamp(), behind = $2, fault = $3 where migration = $1 and owner = $4", behind, OrNull(fault, NpgsqlDbType.Text), owner);
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1 ? 0 : throw own.Fenced();
    });

    /// <summary>Wakes whichever process compares from its pause between two turns: somebody waits for what the next one finds. Lost where none listens.</summary>
    public Task WakeAsync(CancellationToken cancellationToken) => RunAsync(async () =>
    {
        await using var command = Command($"select pg_catalog.pg_notify('{Waking}', $1)");
        return await command.ExecuteNonQueryAsync(cancellationToken);
    });

    /// <summary>The last sign of life; null where there never was one.</summary>
    public Task<ReconcilerBeat?> ReadBeatAsync(CancellationToken cancellationToken) => RunAsync(async () =>
    {
        await using var command = Command("select at, clock_timestamp() - at, behind, fault from cdc_migrator.verification_beat where migration = $1");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new ReconcilerBeat(reader.GetFieldValue<DateTimeOffset>(0), reader.GetFieldValue<TimeSpan>(1), reader.GetInt64(2), reader.IsDBNull(3) ? null : reader.GetString(3))
            : null;
    });

    /// <summary>What is known of the tables, by source table, each with the shape it was compared in.</summary>
    public Task<IReadOnlyDictionary<TableName, (TableState State, string Shape)>> ReadTablesAsync(CancellationToken cancellationToken) => RunAsync(async () =>
    {
        // One snapshot: rows of one moment with the verdict of another would say what never was.
        await using var connection = await target.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellationToken);
        var rows = await ReadRowsAsync(connection, cancellationToken);
        await using var command = new NpgsqlCommand("""
            select source_table, run, phase, cursor, rows_source, rows_target, estimated_rows, shape, covered, covered_at, equal_at, wrong_truncated, dirty_keys, verified_offsets::text, verdict, reason, evidence,
                key_columns, pass_began_at
            from cdc_migrator.verification_table where migration = $1
            """, connection);
        Bind(command, []);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var states = new Dictionary<TableName, (TableState, string)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var table = TableName.Parse(reader.GetString(0));
            var own = rows[table].ToList();
            states[table] = (new TableState
            {
                Table = table,
                Run = reader.GetInt64(1),
                Phase = Enum.Parse<TablePhase>(reader.GetString(2)),
                Cursor = reader.IsDBNull(3) ? null : new RowKey(reader.GetFieldValue<string[]>(3)),
                RowsSource = reader.GetInt64(4),
                RowsTarget = reader.GetInt64(5),
                EstimatedRows = reader.GetInt64(6),
                Covered = reader.GetBoolean(8),
                CoveredAt = reader.IsDBNull(9) ? null : reader.GetFieldValue<DateTimeOffset>(9),
                EqualAt = reader.IsDBNull(10) ? null : reader.GetFieldValue<DateTimeOffset>(10),
                WrongTruncated = reader.GetBoolean(11),
                DirtyKeys = reader.GetInt32(12),
                VerifiedOffsets = JsonSerializer.Deserialize<Dictionary<int, long>>(reader.GetString(13))!,
                Verdict = Enum.Parse<Verdict>(reader.GetString(14)),
                Reason = reader.IsDBNull(15) ? null : reader.GetString(15),
                Evidence = reader.IsDBNull(16) ? null : reader.GetString(16),
                KeyColumns = reader.GetFieldValue<string[]>(17),
                PassBeganAt = reader.IsDBNull(18) ? null : reader.GetFieldValue<DateTimeOffset>(18),
                Wrong = own.Where(row => row.Wrong is not null).ToDictionary(row => row.Key, row => row.Wrong!),
                Pending = own.Where(row => row.Wrong is null).ToDictionary(row => row.Key, row => row.Since),
            }, reader.GetString(7));
        }

        return (IReadOnlyDictionary<TableName, (TableState, string)>)states;
    });

    /// <summary>Keeps what is known of a table, all or nothing.</summary>
    /// <param name="state">What is known.</param>
    /// <param name="shape">What was compared: columns and how.</param>
    /// <param name="saved">What was kept last; null where that is not known.</param>
    /// <param name="owner">What <see cref="ClaimAsync"/> gave.</param>
    /// <param name="cancellationToken">Gives up; may be repeated.</param>
    /// <exception cref="FaultException">Fenced: another process compares, and what it kept stays.</exception>
    public Task SaveAsync(TableState state, string shape, TableState? saved, long owner, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(state);
        return RunOwnedAsync(owner, async connection =>
        {
            var table = state.Table.ToString();
            await ExecuteAsync(
                connection,
                """
                insert into cdc_migrator.verification_table (migration, source_table, run, phase, cursor, rows_source, rows_target, estimated_rows, shape, covered, covered_at, equal_at, wrong_truncated,
                    dirty_keys, verified_offsets, verdict, reason, evidence, key_columns, pass_began_at)
                values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15::jsonb, $16, $17, $18, $19, $20)
                on conflict (migration, source_table) do update set run = excluded.run, phase = excluded.phase, cursor = excluded.cursor, rows_source = excluded.rows_source,
                    rows_target = excluded.rows_target, estimated_rows = excluded.estimated_rows, shape = excluded.shape, covered = excluded.covered, covered_at = excluded.covered_at,
                    equal_at = excluded.equal_at, wrong_truncated = excluded.wrong_truncated, dirty_keys = excluded.dirty_keys, verified_offsets = excluded.verified_offsets,
                    verdict = excluded.verdict, reason = excluded.reason, evidence = excluded.evidence, key_columns = excluded.key_columns,
                    pass_began_at = excluded.pass_began_at, updated_at = clock_timestamp()
                """,
                cancellationToken,
                table, state.Run, state.Phase.ToString(), OrNull(state.Cursor?.Values.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text), state.RowsSource, state.RowsTarget, state.EstimatedRows, shape,
                state.Covered, OrNull(state.CoveredAt?.ToUniversalTime(), NpgsqlDbType.TimestampTz), OrNull(state.EqualAt?.ToUniversalTime(), NpgsqlDbType.TimestampTz), state.WrongTruncated, state.DirtyKeys,
                JsonSerializer.Serialize(state.VerifiedOffsets), state.Verdict.ToString(), OrNull(state.Reason, NpgsqlDbType.Text), OrNull(state.Evidence, NpgsqlDbType.Text), state.KeyColumns.ToArray(),
                OrNull(state.PassBeganAt?.ToUniversalTime(), NpgsqlDbType.TimestampTz));
            if (saved is null)
            {
                await ExecuteAsync(connection, "delete from cdc_migrator.verification_row where migration = $1 and source_table = $2", cancellationToken, table);
            }

            foreach (var key in Keys(saved).Where(key => !state.Wrong.ContainsKey(key) && !state.Pending.ContainsKey(key)))
            {
                await ExecuteAsync(connection, "delete from cdc_migrator.verification_row where migration = $1 and source_table = $2 and key = $3", cancellationToken, table, key.Values.ToArray());
            }

            foreach (var key in Keys(state).Where(key => saved is null || !Same(state, saved, key)))
            {
                var wrong = state.Wrong.GetValueOrDefault(key);
                await ExecuteAsync(
                    connection,
                    """
                    insert into cdc_migrator.verification_row (migration, source_table, key, kind, columns, since, unlogged) values ($1, $2, $3, $4, $5, $6, $7)
                    on conflict (migration, source_table, key) do update set kind = excluded.kind, columns = excluded.columns, unlogged = excluded.unlogged, since = case when verification_row.kind is not distinct from excluded.kind
                        then verification_row.since else excluded.since end
                    """,
                    cancellationToken,
                    table, key.Values.ToArray(), OrNull(wrong?.Kind.ToString().ToLowerInvariant(), NpgsqlDbType.Text), wrong?.Columns.ToArray() ?? [],
                    state.Pending.TryGetValue(key, out var since) ? since.ToUniversalTime() : DateTimeOffset.UtcNow, wrong?.Unlogged ?? false);
            }
        }, cancellationToken);
    }

    private static IEnumerable<RowKey> Keys(TableState? state) => state is null ? [] : state.Wrong.Keys.Union(state.Pending.Keys);

    private static bool Same(TableState state, TableState saved, RowKey key) =>
        state.Wrong.GetValueOrDefault(key) is var now && saved.Wrong.GetValueOrDefault(key) is var then
        && (now is null ? then is null && saved.Pending.ContainsKey(key) : then is not null && now.Kind == then.Kind && now.Unlogged == then.Unlogged && now.Columns.SequenceEqual(then.Columns));

    private static NpgsqlParameter OrNull(object? value, NpgsqlDbType type) => new() { Value = value ?? DBNull.Value, NpgsqlDbType = type };

    private async Task<ILookup<TableName, (RowKey Key, RowMismatch? Wrong, DateTimeOffset Since)>> ReadRowsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select source_table, key, kind, columns, since, unlogged from cdc_migrator.verification_row where migration = $1", connection);
        Bind(command, []);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<(TableName Table, (RowKey, RowMismatch?, DateTimeOffset) Row)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var key = new RowKey(reader.GetFieldValue<string[]>(1));
            var wrong = reader.IsDBNull(2) ? null : new RowMismatch(key, Enum.Parse<DifferenceKind>(reader.GetString(2), ignoreCase: true), reader.GetFieldValue<string[]>(3)) { Unlogged = reader.GetBoolean(5) };
            rows.Add((TableName.Parse(reader.GetString(0)), (key, wrong, reader.GetFieldValue<DateTimeOffset>(4))));
        }

        return rows.ToLookup(row => row.Table, row => row.Row);
    }

    private Task<IReadOnlyList<VerificationRun>> ReadRunsAsync(string sql, CancellationToken cancellationToken, params object[] values) => RunAsync(async () =>
    {
        await using var command = Command(sql, values);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var runs = new List<VerificationRun>();
        while (await reader.ReadAsync(cancellationToken))
        {
            if (runs.LastOrDefault()?.Run != reader.GetInt64(0))
            {
                runs.Add(new VerificationRun(
                    reader.GetInt64(0), reader.GetString(1), reader.GetString(2), reader.GetFieldValue<DateTimeOffset>(3), reader.IsDBNull(4) ? null : reader.GetFieldValue<DateTimeOffset>(4),
                    new List<TableResult>()));
            }

            if (!reader.IsDBNull(5))
            {
                ((List<TableResult>)runs[^1].Tables).Add(new TableResult(
                    TableName.Parse(reader.GetString(5)), TableName.Parse(reader.GetString(6)), reader.IsDBNull(7) ? null : Enum.Parse<Verdict>(reader.GetString(7)),
                    reader.IsDBNull(8) ? null : reader.GetString(8), reader.GetInt64(9), reader.GetInt64(10), reader.GetInt64(11), reader.GetInt64(12), reader.IsDBNull(13) ? null : reader.GetString(13)));
            }
        }

        return (IReadOnlyList<VerificationRun>)runs;
    });

    private Task<int> RunOwnedAsync(long owner, Func<NpgsqlConnection, Task> work, CancellationToken cancellationToken) => RunAsync(async () =>
    {
        await own.WriteAsync(owner, work, cancellationToken);
        return 0;
    });

    private NpgsqlCommand Command(string sql, params object[] values)
    {
        var command = target.CreateCommand(sql);
        Bind(command, values);
        return command;
    }

    private async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken, params object[] values)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        Bind(command, values);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private void Bind(NpgsqlCommand command, object[] values)
    {
        foreach (var value in values.Prepend(migration))
        {
            command.Parameters.Add(value as NpgsqlParameter ?? new NpgsqlParameter { Value = value });
        }
    }

    private static async Task<T> RunAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }
}
