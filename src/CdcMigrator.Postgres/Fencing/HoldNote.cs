using Npgsql;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>
/// The note on an open side that an attempt makes applications wait, kept from before its first hook until it has closed the side or let them go. Whoever finds a note that ran
/// out takes it over and lets them go; one at a time. Every change is one statement, from the state the caller knew; times are those of the side's own clock.
/// </summary>
/// <param name="database">The side.</param>
/// <param name="migration">Name of the migration.</param>
public sealed class HoldNote(NpgsqlDataSource database, string migration)
{
    private const string CalledOff = "hold-called-off";

    /// <summary>Notes that an attempt begins to make applications wait. May be repeated. False where the side is not open, has seen a later attempt, or another one's note has not run out.</summary>
    /// <param name="token">The attempt.</param>
    /// <param name="epoch">Its number.</param>
    /// <param name="lease">How long the note holds without <see cref="RenewAsync"/>.</param>
    /// <param name="cancellationToken">Gives up; it may then be noted, until it runs out.</param>
    public Task<bool> TakeAsync(string token, long epoch, TimeSpan lease, CancellationToken cancellationToken) => ChangeAsync(
        "held = $2, held_epoch = $3, held_until = clock_timestamp() + $4, releasing = false where migration = $1 and state = 'open' and epoch < $3 and (held = '' or held_until < clock_timestamp() or held = $2 and not releasing)",
        cancellationToken, token, epoch, lease);

    /// <summary>Keeps a note that has not run out for longer. False where it has, or is somebody else's by now.</summary>
    /// <param name="token">The attempt.</param>
    /// <param name="releasing">Whether the caller took it over to let applications go.</param>
    /// <param name="lease">How long.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<bool> RenewAsync(string token, bool releasing, TimeSpan lease, CancellationToken cancellationToken) => ChangeAsync(
        "held_until = clock_timestamp() + $4 where migration = $1 and held = $2 and releasing = $3 and held_until > clock_timestamp()", cancellationToken, token, releasing, lease);

    /// <summary>Takes over a note that ran out on a side that is still open, to let applications go. True for one caller; for another one again once that one's time is over too.</summary>
    /// <param name="token">The attempt that is gone.</param>
    /// <param name="lease">How long the caller has without <see cref="RenewAsync"/>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<bool> TakeOverAsync(string token, TimeSpan lease, CancellationToken cancellationToken) => ChangeAsync(
        "held_until = clock_timestamp() + $3, releasing = true where migration = $1 and held = $2 and state = 'open' and held_until < clock_timestamp()", cancellationToken, token, lease);

    /// <summary>
    /// Calls an attempt off that has not closed the side yet, whichever process it is in: it can neither renew its note nor close the side from then on, and lets applications go as soon as it sees that. Where it is
    /// gone, whoever finds the note that ran out does. Noted in the side's journal. False where the attempt has closed the side, has let go, or was called off before.
    /// </summary>
    /// <param name="token">The attempt.</param>
    /// <param name="by">Who calls it off.</param>
    /// <param name="lease">How long its owner has to let applications go.</param>
    /// <param name="cancellationToken">Gives up; it may then be called off.</param>
    public async Task<bool> CallOffAsync(string token, string by, TimeSpan lease, CancellationToken cancellationToken)
    {
        await using var command = Command(
            $"""
            with off as (
                update cdc_migrator.fence_state set held_until = clock_timestamp() + $3, releasing = true where migration = $1 and held = $2 and state = 'open' and not releasing returning held_epoch)
            insert into cdc_migrator.journal (migration, actor, event, evidence) select $1, $4, '{CalledOff}', jsonb_build_object('token', $2, 'epoch', held_epoch) from off
            """,
            token, lease, by);
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    /// <summary>Who called an attempt off before it closed the side; null where nobody did.</summary>
    public async Task<string?> FindCalledOffAsync(string token, CancellationToken cancellationToken)
    {
        await using var command = Command($"select actor from cdc_migrator.journal where migration = $1 and event = '{CalledOff}' and evidence ->> 'token' = $2 limit 1", token);
        return await command.ExecuteScalarAsync(cancellationToken) as string;
    }

    /// <summary>Applications go on: nothing is noted any more. False where it was another attempt's note.</summary>
    public Task<bool> EndAsync(string token, CancellationToken cancellationToken) => ChangeAsync(
        "held = '', held_until = '-infinity', releasing = false where migration = $1 and held = $2", cancellationToken, token);

    private async Task<bool> ChangeAsync(string change, CancellationToken cancellationToken, params object[] values)
    {
        await using var command = Command($"update cdc_migrator.fence_state set {change}", values);
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    private NpgsqlCommand Command(string sql, params object[] values)
    {
        var command = database.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter { Value = migration });
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        return command;
    }
}
