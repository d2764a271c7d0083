using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Status;
using CdcMigrator.Postgres.Faults;
using CdcMigrator.Postgres.Fencing;
using Npgsql;

namespace CdcMigrator.Postgres.Control;

/// <summary>
/// Whether a migration applies anything for now, in the <c>migration</c> row of the side that is applied to. A pause locks that row, as every claim does, and then raises the epoch of every lane but
/// the markers': a batch in flight is waited for, whoever owned a lane is shut out as by a later owner, and no claim succeeds until it is resumed. Offsets stay as they are. Thread-safe.
/// </summary>
/// <param name="target">The side that is applied to, with its control schema.</param>
/// <param name="migration">Name of the migration.</param>
public sealed class PauseStore(NpgsqlDataSource target, string migration)
{
    private const int Attempts = 5;
    private const string Columns = "paused_by, pause_reason, paused_at";
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(20);

    /// <summary>The pause; null while changes are applied.</summary>
    /// <exception cref="FaultException">Unreachable, Transient.</exception>
    public Task<Pause?> ReadAsync(CancellationToken cancellationToken) => AskAsync(async () =>
    {
        await using var command = target.CreateCommand($"select {Columns} from cdc_migrator.migration where name = $1 and paused_at is not null");
        return await ReadAsync(command, cancellationToken);
    });

    /// <summary>Pauses. Once it returns nothing is applied in any process. Idempotent: of two the first one counts.</summary>
    /// <exception cref="FaultException">
    /// NotAllowed <c>direction-closed</c>: applications write to this side, so that nothing is applied to it. TimedOut <c>batch-in-flight</c>: a batch has not ended in time; nothing is paused. Unreachable: it may have been done.
    /// </exception>
    public async Task<Pause> PauseAsync(string by, string reason, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await AskAsync(() => TryPauseAsync(by, reason, cancellationToken));
            }
            catch (FaultException exception) when (exception.Fault.Kind == FaultKind.Transient && attempt < Attempts)
            {
                // A deadlock with those who hold several lanes, which a lane's own retry would also meet.
            }
        }
    }

    /// <summary>Goes on. The pause that ended; null where there was none.</summary>
    /// <exception cref="FaultException">Unreachable: it may have been done, and may be repeated.</exception>
    public Task<Pause?> ResumeAsync(string by, CancellationToken cancellationToken) => AskAsync(async () =>
    {
        await using var connection = await target.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        Pause? pause;
        await using (var read = new NpgsqlCommand($"select {Columns} from cdc_migrator.migration where name = $1 and paused_at is not null for update", connection))
        {
            pause = await ReadAsync(read, cancellationToken);
        }

        if (pause is not null)
        {
            await ExecuteAsync(connection, "update cdc_migrator.migration set paused_at = null, paused_by = null, pause_reason = null, updated_at = clock_timestamp() where name = $1", cancellationToken, migration);
            await NoteAsync(connection, by, "resumed", pause, cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        return pause;
    });

    /// <summary>Refuses the claim of a lane while the migration is paused. The row stays locked until the claim's transaction ends.</summary>
    internal static async Task RefuseAsync(NpgsqlConnection connection, string migration, LaneId lane, CancellationToken cancellationToken)
    {
        if (Directions.IsMarkerTopic(lane.Topic))
        {
            return;
        }

        await using var command = new NpgsqlCommand($"select {Columns} from cdc_migrator.migration where name = $1 and paused_at is not null for share", connection);
        command.Parameters.Add(new NpgsqlParameter { Value = migration });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (await reader.ReadAsync(cancellationToken))
        {
            throw new FaultException(new Fault(FaultKind.NotAllowed, "lane-held", $"The migration is {Of(reader)}", "'cdcm resume' has it go on") { Lane = lane });
        }
    }

    private async Task<Pause> TryPauseAsync(string by, string reason, CancellationToken cancellationToken)
    {
        await using var connection = await target.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await ExecuteAsync(connection, $"set local lock_timeout = {(long)Wait.TotalMilliseconds}", cancellationToken);
        await using (var open = new NpgsqlCommand("select state from cdc_migrator.fence_state where migration = $1 for share", connection))
        {
            open.Parameters.Add(new NpgsqlParameter { Value = migration });
            if (await open.ExecuteScalarAsync(cancellationToken) is string state && state != "sealed")
            {
                throw new FaultException(FaultKind.NotAllowed, "direction-closed", "Applications write to this side: nothing is applied to it that could be paused", "'cdcm cutover status' shows both sides; the other direction is paused with '--back', or without it");
            }
        }

        // Made first and then locked: whoever claims meanwhile waits here, or had committed.
        await ExecuteAsync(connection, "insert into cdc_migrator.migration (name) values ($1) on conflict (name) do nothing", cancellationToken, migration);
        await using (var read = new NpgsqlCommand($"select {Columns} from cdc_migrator.migration where name = $1 for update", connection))
        {
            if (await ReadAsync(read, cancellationToken) is { } before)
            {
                return before;
            }
        }

        await ExecuteAsync(
            connection, "update cdc_migrator.migration set paused_at = clock_timestamp(), paused_by = $2, pause_reason = $3, updated_at = clock_timestamp() where name = $1", cancellationToken, migration, by, reason);

        // In the order of partitions, as everyone who takes several.
        await ExecuteAsync(
            connection,
            $"""
            with lanes as (
                select topic, partition from cdc_migrator.progress
                where migration = $1 and right(topic, {Directions.MarkerSuffix.Length}) <> '{Directions.MarkerSuffix}' order by topic, partition for update)
            update cdc_migrator.progress p set epoch = p.epoch + 1, updated_at = clock_timestamp() from lanes where p.migration = $1 and p.topic = lanes.topic and p.partition = lanes.partition
            """,
            cancellationToken, migration);
        Pause pause;
        await using (var read = new NpgsqlCommand($"select {Columns} from cdc_migrator.migration where name = $1", connection))
        {
            pause = (await ReadAsync(read, cancellationToken))!;
        }

        await NoteAsync(connection, by, "paused", pause, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return pause;
    }

    private Task NoteAsync(NpgsqlConnection connection, string by, string what, Pause pause, CancellationToken cancellationToken) => ExecuteAsync(
        connection, "insert into cdc_migrator.journal (migration, actor, event, evidence) values ($1, $2, $3, jsonb_build_object('by', $4, 'reason', $5, 'at', $6))",
        cancellationToken, migration, by, what, pause.By, pause.Reason, pause.At);

    private async Task<Pause?> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        command.Parameters.Add(new NpgsqlParameter { Value = migration });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) && !reader.IsDBNull(2) ? Of(reader) : null;
    }

    private static Pause Of(NpgsqlDataReader reader) => new(reader.GetString(0), reader.GetString(1), reader.GetFieldValue<DateTimeOffset>(2));

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken, params object[] values)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<T> AskAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            throw new FaultException(FaultKind.TimedOut, "batch-in-flight", $"A batch has not ended within {Wait.TotalSeconds:0} s: nothing is paused", "'cdcm status' shows what its lane waits for; then try again", exception);
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }
}
