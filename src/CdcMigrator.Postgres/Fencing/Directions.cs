using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Fencing;
using Npgsql;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>
/// The direction into a database, in the control schema there: changed only inside the transaction that seals or opens that side, so that it is applied to
/// exactly while applications do not write to it. May be repeated.
/// </summary>
public static class Directions
{
    internal const string MarkerSuffix = ".cdc_migrator.fence";
    private const string ShutComparingOut = "update cdc_migrator.verification_beat set owner = owner + 1, behind = -1 where migration = $1";

    /// <summary>Markers are no rows: their lane goes on in both directions, so that each is known to work before it is needed.</summary>
    public static bool IsMarkerTopic(string topic) => topic.EndsWith(MarkerSuffix, StringComparison.Ordinal);

    /// <summary>
    /// Turns the direction on, with the seal: from these offsets on. What was known of the equality of both sides was known of the other direction and is forgotten;
    /// who compares must claim anew.
    /// </summary>
    internal static async Task BeginAsync(NpgsqlConnection connection, string migration, DirectionStart start, CancellationToken cancellationToken)
    {
        foreach (var (lane, identity, offset) in start.Lanes)
        {
            await ExecuteAsync(
                connection,
                """
                insert into cdc_migrator.progress as p (migration, topic, partition, next_offset, cluster_id, topic_id, partition_count) values ($1, $2, $3, $4, $5, $6, $7)
                on conflict (migration, topic, partition) do update set next_offset = excluded.next_offset, epoch = p.epoch + 1, cluster_id = excluded.cluster_id, topic_id = excluded.topic_id,
                    partition_count = excluded.partition_count, commit_lsn = '0/0', lsn = '0/0', xid = 0, frozen = false, updated_at = clock_timestamp()
                """,
                cancellationToken, migration, lane.Topic, lane.Partition, offset, identity.ClusterId, identity.TopicId, identity.PartitionCount);
        }

        if (start.Lanes.Count == 0)
        {
            await ExecuteAsync(
                connection, "update cdc_migrator.progress set frozen = false, epoch = epoch + 1, updated_at = clock_timestamp() where migration = $1 and frozen", cancellationToken, migration);
            await ExecuteAsync(
                connection, "update cdc_migrator.embedded_log set phase = 'streaming', active_from = $2::pg_lsn, updated_at = clock_timestamp() where migration = $1", cancellationToken,
                migration, SourcePosition.Format(start.Lsn));
        }

        foreach (var table in new[] { "verification_table", "verification_row", "verification_check" })
        {
            await ExecuteAsync(connection, $"delete from cdc_migrator.{table} where migration = $1", cancellationToken, migration);
        }

        await ExecuteAsync(
            connection, "update cdc_migrator.verification_run set state = 'stopped', finished_at = clock_timestamp() where migration = $1 and state = 'running'", cancellationToken, migration);
        await ExecuteAsync(
            connection,
            """
            with run as (insert into cdc_migrator.verification_run (migration, requested_by) select $1, 'cutover' where cardinality($2::text[]) > 0 returning run)
            insert into cdc_migrator.verification_result (migration, run, source_table, target_table) select $1, run.run, s, t from run, unnest($2::text[], $3::text[]) as n(s, t)
            """,
            cancellationToken, migration, start.Tables.Select(table => table.Source.ToString()).ToArray(), start.Tables.Select(table => table.Target.ToString()).ToArray());
        await ExecuteAsync(connection, ShutComparingOut, cancellationToken, migration);
    }

    /// <summary>What turns the direction off, with the opening: no lane writes any more, and nothing that is found by comparing from now on counts. <c>$1</c> is the migration.</summary>
    internal static IReadOnlyList<string> EndStatements { get; } =
    [
        $"update cdc_migrator.progress set frozen = true, epoch = epoch + 1, updated_at = clock_timestamp() where migration = $1 and not frozen and right(topic, {MarkerSuffix.Length}) <> '{MarkerSuffix}'",
        "update cdc_migrator.embedded_log set phase = 'passive', active_from = '0/0', updated_at = clock_timestamp() where migration = $1",
        ShutComparingOut,
    ];

    /// <summary>Whether the row says that a side is applied to: left for good, and not without a way back.</summary>
    internal const string AppliedTo = "state = 'sealed' and not no_return";

    /// <summary>Turns the direction off.</summary>
    internal static async Task EndAsync(NpgsqlConnection connection, string migration, CancellationToken cancellationToken)
    {
        foreach (var statement in EndStatements)
        {
            await ExecuteAsync(connection, statement, cancellationToken, migration);
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken, params object[] values)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
