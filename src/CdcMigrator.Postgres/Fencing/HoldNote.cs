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

    /// <summary>Applications go on: nothing is noted any more. False where it was another attempt's note.</summary>
    public Task<bool> EndAsync(string token, CancellationToken cancellationToken) => ChangeAsync(
        "held = '', held_until = '-infinity', releasing = false where migration = $1 and held = $2", cancellationToken, token);

    private async Task<bool> ChangeAsync(string change, CancellationToken cancellationToken, params object[] values)
    {
        await using var command = database.CreateCommand($"update cdc_migrator.fence_state set {change}");
        command.Parameters.Add(new NpgsqlParameter { Value = migration });
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }
}
