using CdcMigrator.Postgres.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.Control;

/// <summary>
/// The markers of a migration that were met in the log, by any process. Kept for a day. Thread-safe.
/// </summary>
/// <param name="target">The target, with its control schema.</param>
/// <param name="migration">Name of the migration.</param>
public sealed class MarkerStore(NpgsqlDataSource target, string migration)
{
    /// <summary>
    /// Notes that a marker was met. Synchronous, because it must be durable before the lane may move past the marker: progress never
    /// leads back to it. Idempotent.
    /// </summary>
    /// <exception cref="Domain.Faults.FaultException">The target does not answer, or refuses.</exception>
    public void Record(string marker)
    {
        try
        {
            using var command = target.CreateCommand("""
                with old as (delete from cdc_migrator.marker where migration = $1 and seen_at < clock_timestamp() - interval '1 day')
                insert into cdc_migrator.marker (migration, id) values ($1, $2) on conflict do nothing
                """);
            command.Parameters.Add(new NpgsqlParameter { Value = migration });
            command.Parameters.Add(new NpgsqlParameter { Value = marker });
            command.ExecuteNonQuery();
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }

    /// <summary>Whether any process met the marker.</summary>
    /// <exception cref="Domain.Faults.FaultException">The target does not answer, or refuses.</exception>
    public async Task<bool> IsSeenAsync(string marker, CancellationToken cancellationToken)
    {
        try
        {
            await using var command = target.CreateCommand("select exists (select from cdc_migrator.marker where migration = $1 and id = $2)");
            command.Parameters.Add(new NpgsqlParameter { Value = migration });
            command.Parameters.Add(new NpgsqlParameter { Value = marker });
            return await command.ExecuteScalarAsync(cancellationToken) is true;
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }
}
