using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Log;
using CdcMigrator.Postgres.Faults;
using Npgsql;
using NpgsqlTypes;

namespace CdcMigrator.Postgres.Control;

/// <summary>The last claims of each lane, kept in the target: where rows may have been written twice, or not at all, if anything is wrong with taking over.</summary>
public static class ClaimLog
{
    /// <summary>Claims that are kept of a lane.</summary>
    public const int Kept = 20;

    /// <summary>The kept claims of all lanes of a migration, newest first.</summary>
    /// <param name="target">The target, with its control schema.</param>
    /// <param name="migration">Name of the migration.</param>
    /// <param name="cluster">The log whose offsets count; null for all.</param>
    /// <param name="cancellationToken">Stops the query.</param>
    /// <exception cref="Domain.Faults.FaultException">The target does not answer.</exception>
    public static async Task<IReadOnlyList<ClaimedAt>> ReadAsync(NpgsqlDataSource target, string migration, string? cluster, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(target);
        try
        {
            await using var command = target.CreateCommand("""
                select topic, partition, next_offset, at from cdc_migrator.lane_claim where migration = $1 and ($2::text is null or cluster_id = $2) order by at desc, topic, partition, epoch desc
                """);
            command.Parameters.Add(new NpgsqlParameter { Value = migration });
            command.Parameters.Add(new NpgsqlParameter { Value = (object?)cluster ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var claims = new List<ClaimedAt>();
            while (await reader.ReadAsync(cancellationToken))
            {
                claims.Add(new ClaimedAt(new LaneId(reader.GetString(0), reader.GetInt32(1)), reader.GetInt64(2), reader.GetFieldValue<DateTimeOffset>(3)));
            }

            return claims;
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }

    /// <summary>Notes a claim in the transaction that makes it. Of those at one offset the last is kept: a lane that stands is claimed again and again.</summary>
    internal static async Task RecordAsync(NpgsqlConnection connection, string migration, LaneProgress claimed, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("""
            with old as (delete from cdc_migrator.lane_claim where migration = $1 and topic = $2 and partition = $3 and (next_offset = $5 or epoch in (
                select epoch from cdc_migrator.lane_claim where migration = $1 and topic = $2 and partition = $3 order by epoch desc offset $7)))
            insert into cdc_migrator.lane_claim (migration, topic, partition, epoch, next_offset, cluster_id) values ($1, $2, $3, $4, $5, $6) on conflict do nothing
            """, connection);
        foreach (var value in new object[] { migration, claimed.Lane.Topic, claimed.Lane.Partition, claimed.Epoch, claimed.NextOffset, claimed.ClusterId, Kept - 1 })
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
