using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Log;
using CdcMigrator.Postgres.Faults;
using Npgsql;
using NpgsqlTypes;

namespace CdcMigrator.Postgres.Control;

/// <summary>Rows of <c>cdc_migrator.progress</c>, for those who steer lanes rather than write through them.</summary>
public static class ProgressTable
{
    private const string Select = """
        select topic, partition, next_offset, commit_lsn, lsn, xid, epoch, updated_at, frozen, cluster_id from cdc_migrator.progress
        where migration = $1 order by topic, partition
        """;

    /// <summary>Committed progress of all lanes of a migration, by topic and partition.</summary>
    public static async Task<IReadOnlyList<LaneProgress>> ReadAsync(NpgsqlDataSource target, string migration, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(target);
        try
        {
            await using var connection = await target.OpenConnectionAsync(cancellationToken);
            return await ReadAsync(connection, migration, cancellationToken);
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }

    /// <summary>
    /// Closes every lane of a migration for writing, or opens it again. Waits for transactions in flight; once it returns, no owner can
    /// write to a frozen lane, and none can claim it. Idempotent.
    /// </summary>
    public static async Task SetFrozenAsync(NpgsqlDataSource target, string migration, bool frozen, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(target);
        await using var command = target.CreateCommand(
            "update cdc_migrator.progress set frozen = $2, epoch = epoch + 1, updated_at = clock_timestamp() where migration = $1 and frozen <> $2");
        command.Parameters.Add(new NpgsqlParameter { Value = migration });
        command.Parameters.Add(new NpgsqlParameter { Value = frozen });
        try
        {
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }

    /// <summary>Sets a lane's next offset, whatever it was, creating its row if there is none, and shuts out its owner. Nothing below the offset will be applied.</summary>
    public static async Task SetOffsetAsync(
        NpgsqlDataSource target, string migration, LaneId lane, LogIdentity identity, long nextOffset, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(identity);
        await using var command = target.CreateCommand("""
            insert into cdc_migrator.progress as p (migration, topic, partition, next_offset, cluster_id, topic_id, partition_count)
            values ($1, $2, $3, $4, $5, $6, $7)
            on conflict (migration, topic, partition) do update set next_offset = excluded.next_offset, epoch = p.epoch + 1, cluster_id = excluded.cluster_id,
                topic_id = excluded.topic_id, partition_count = excluded.partition_count, commit_lsn = '0/0', lsn = '0/0', xid = 0, updated_at = clock_timestamp()
            """);
        foreach (var value in new object[] { migration, lane.Topic, lane.Partition, nextOffset, identity.ClusterId, identity.TopicId, identity.PartitionCount })
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        try
        {
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }

    internal static async Task<IReadOnlyList<LaneProgress>> ReadAsync(NpgsqlConnection connection, string migration, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Select, connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = migration });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var lanes = new List<LaneProgress>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var updatedAt = await reader.GetFieldValueAsync<DateTimeOffset>(7, cancellationToken);
            var lane = new LaneId(reader.GetString(0), reader.GetInt32(1));
            lanes.Add(new LaneProgress(lane, reader.GetInt64(2), Position(reader, 3), reader.GetInt64(6), updatedAt, reader.GetBoolean(8))
            {
                ClusterId = reader.GetString(9),
            });
        }

        return lanes;
    }

    /// <summary>Reads commit_lsn, lsn and xid from three columns.</summary>
    internal static SourcePosition Position(NpgsqlDataReader reader, int first) => new(
        (ulong)reader.GetFieldValue<NpgsqlLogSequenceNumber>(first),
        (ulong)reader.GetFieldValue<NpgsqlLogSequenceNumber>(first + 1),
        (uint)reader.GetInt64(first + 2));
}
