using System.Globalization;
using System.Text;
using System.Text.Json;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using Npgsql;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>
/// Looks, in the very transaction that opens a side, that it has all it was proven to have when the other side was left (<see cref="OpeningTerms"/>): the opening freezes the lanes into it, and what they have not applied
/// by then is never applied. Where it is behind nothing is changed: lanes go on from where they are, and the opening is tried again. Where the marker of the way back is lost too, what lanes apply again is captured
/// there, may come round by the way back and the source's log, and puts older rows in the place of newer ones: then lanes must stand exactly at their ends, and whoever finds it stops the way back at once.
/// </summary>
/// <param name="terms">What was noted with the seal; null where an older version sealed, which noted nothing: then nothing is asked.</param>
/// <param name="moves">Whether sequences are moved on again in any case: by whoever does not know what came before.</param>
public sealed class OpeningCheck(OpeningTerms? terms, bool moves)
{
    /// <summary>Code of the fault of a side that does not have all yet.</summary>
    public const string Behind = "progress-behind";

    /// <summary>What the journal of the side that is left calls the terms.</summary>
    private const string TermsEvent = "opening-terms";

    /// <summary>What it says where the way back was stopped.</summary>
    private const string StoppedEvent = "way-back-stopped";

    /// <summary>What the journal of the side that takes over says where it is not the server any more that was proven of.</summary>
    private const string ElsewhereEvent = "opened-elsewhere";

    private const string ServerNow =
        "(select system_identifier::text from pg_catalog.pg_control_system()) || '/' || ('x' || substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int || '/' || floor(extract(epoch from pg_catalog.pg_postmaster_start_time()))::bigint";

    /// <summary>
    /// One read of the lanes' rows by their key. Another life of the embedded log has offsets of its own: there the marker tells, which was written behind all that was applied. Without it nobody knows, for the slot may
    /// have been told of what was lost; where there is no way back there is no marker, and such a life is taken at its word.
    /// </summary>
    private const string BehindLanes = """
        with ends as materialized (select * from unnest($2::text[], $3::int[], $4::bigint[]) as n(topic, partition, goal)),
        here as (select exists (select from cdc_migrator.fence where id = $6) as marked),
        behind as (
            select e.*, case when $5 = '' or p.cluster_id = $5 then coalesce(p.next_offset, 0) else 0 end as reached
            from ends e left join cdc_migrator.progress p on p.migration = $1 and p.topic = e.topic and p.partition = e.partition cross join here
            where case when $5 = '' or p.cluster_id = $5 then coalesce(p.next_offset, 0) < e.goal or (p.next_offset > e.goal and not here.marked and $6 <> '') else not here.marked and $6 <> '' end)
        """;

    private const string Look = $"""
        {BehindLanes}
        select {ServerNow}, (select marked from here), (select count(*) from behind),
            (select string_agg(pg_catalog.format('%s[%s] is at %s of %s', topic, partition, reached, goal), ', ') from (select * from behind order by topic, partition limit 5) b),
            (select count(*) from cdc_migrator.dead_letter where migration = $1)
        """;

    /// <summary>Once it is opened: that it is not the server any more that was proven of, or lost what it had written last; null where it is the same. What comes of it is for people to know.</summary>
    public string? Elsewhere { get; private set; }

    /// <summary>Whether the side was found without what it had committed last before the other one was left, its marker among it.</summary>
    public bool HasLost { get; private set; }

    /// <summary>The server a session speaks with: system identifier, timeline and when it was started.</summary>
    internal static async Task<string> ReadServerAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"select {ServerNow}", connection);
        return (string)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>The same for a script that runs without parameters: how many lanes do not stand where they did.</summary>
    /// <param name="migration">Name of the migration.</param>
    /// <param name="terms">What was noted.</param>
    /// <param name="literal">Writes a text as SQL.</param>
    internal static string CountBehind(string migration, OpeningTerms terms, Func<string, string> literal)
    {
        string Row<T>(string type, Func<LaneEnd, T> value) => $"array[{string.Join(", ", terms.Lanes.Select(lane => value(lane)))}]::{type}[]";
        string[] values =
        [
            literal(migration), Row("text", lane => literal(lane.Topic)), Row("int", lane => lane.Partition.ToString(CultureInfo.InvariantCulture)), Row("bigint", lane => lane.End.ToString(CultureInfo.InvariantCulture)),
            literal(terms.Incarnation), literal(terms.Marker),
        ];
        var sql = new StringBuilder();
        foreach (var part in BehindLanes.Split('$'))
        {
            // Each parameter is one digit long.
            sql.Append(sql.Length == 0 ? part : $"{values[part[0] - '1']}{part[1..]}");
        }

        return $"{sql} select count(*) from behind";
    }

    /// <summary>Notes the terms, in the transaction that seals.</summary>
    internal static async Task NoteAsync(NpgsqlConnection connection, string migration, string actor, string token, OpeningTerms terms, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "insert into cdc_migrator.journal (migration, actor, event, evidence) values ($1, $2, $3, jsonb_build_object('token', $4::text, 'terms', $5::jsonb))", connection);
        foreach (var value in new object[] { migration, actor, TermsEvent, token, JsonSerializer.Serialize(terms) })
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>What an attempt noted when it left a side; null where it noted nothing.</summary>
    internal static async Task<OpeningTerms?> ReadAsync(NpgsqlDataSource database, string migration, string token, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            "select (evidence -> 'terms')::text from cdc_migrator.journal where migration = $1 and event = $2 and evidence ->> 'token' = $3 order by id desc limit 1");
        foreach (var value in new object[] { migration, TermsEvent, token })
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        return await command.ExecuteScalarAsync(cancellationToken) is string text ? JsonSerializer.Deserialize<OpeningTerms>(text) : null;
    }

    /// <summary>Stops the direction into a side that an attempt left, once. False where that was done, or the side is not left by it any more.</summary>
    internal static async Task<bool> StopDirectionAsync(NpgsqlDataSource database, string migration, string actor, string token, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using (var quick = new NpgsqlCommand(SourceFence.QuickEnd, connection))
        {
            await quick.ExecuteNonQueryAsync(cancellationToken);
        }

        await using var command = new NpgsqlCommand("""
            with here as materialized (select migration from cdc_migrator.fence_state where migration = $1 and token = $4 and state = 'sealed' for update)
            insert into cdc_migrator.journal (migration, actor, event, evidence) select migration, $2, $3, jsonb_build_object('token', $4::text) from here
            where not exists (select from cdc_migrator.journal j where j.migration = $1 and j.event = $3 and j.evidence ->> 'token' = $4)
            """, connection);
        foreach (var value in new object[] { migration, actor, StoppedEvent, token })
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        if (await command.ExecuteNonQueryAsync(cancellationToken) == 0)
        {
            return false;
        }

        await Directions.EndAsync(connection, migration, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    /// <summary>Looks, and moves sequences on again where those that were moved may be lost. Inside the transaction that has opened the row, before the lanes are frozen.</summary>
    /// <exception cref="FaultException">Transient <see cref="Behind"/>: not all is there. The transaction must be rolled back.</exception>
    internal async Task PassAsync(
        NpgsqlConnection connection, string migration, string actor, string token, Func<NpgsqlConnection, CancellationToken, Task>? moveSequences, CancellationToken cancellationToken)
    {
        if (terms is null)
        {
            return;
        }

        var server = await LookAsync(connection, migration, cancellationToken);
        var another = server != terms.Server;
        if ((another || moves) && moveSequences is not null)
        {
            await moveSequences(connection, cancellationToken);
        }

        if (!another && !HasLost)
        {
            return;
        }

        Elsewhere = HasLost
            ? $"it came back without what it had committed last, and has been brought to where it was; the marker behind which the way back begins is gone with it ({terms.Server}, now {server}). Where changes had to be applied again the way back was stopped; do not go back before 'cdcm cutover check --back' says so"
            : $"it was started anew or is another server than the one that was proven of ({terms.Server}, now {server}), and has all of it: look that the way back still reads it, 'cdcm cutover check --back'";
        await using var command = new NpgsqlCommand(
            "insert into cdc_migrator.journal (migration, actor, event, evidence) values ($1, $2, $3, jsonb_build_object('token', $4::text, 'proven', $5::text, 'opened', $6::text, 'marker_lost', $7::bool))", connection);
        foreach (var value in new object[] { migration, actor, ElsewhereEvent, token, terms.Server, server, HasLost })
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<string> LookAsync(NpgsqlConnection connection, string migration, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Look, connection)
        {
            Parameters =
            {
                new NpgsqlParameter { Value = migration },
                new NpgsqlParameter { Value = terms!.Lanes.Select(lane => lane.Topic).ToArray() },
                new NpgsqlParameter { Value = terms.Lanes.Select(lane => lane.Partition).ToArray() },
                new NpgsqlParameter { Value = terms.Lanes.Select(lane => lane.End).ToArray() },
                new NpgsqlParameter { Value = terms.Incarnation },
                new NpgsqlParameter { Value = terms.Marker },
            },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var (server, behind, letters) = (reader.GetString(0), reader.GetInt64(2), reader.GetInt64(4));
        HasLost = terms.Marker.Length > 0 && !reader.GetBoolean(1);
        if (behind == 0 && letters == 0)
        {
            return server;
        }

        throw new FaultException(
            FaultKind.Transient, Behind,
            behind > 0
                ? $"The side that takes over is not opened yet, for it lacks changes that it had when the other side was left: it came back without its last transactions ({terms.Server}, now {server}). {behind} lanes do not stand where they did: {reader.GetString(3)}{(behind > 5 ? $" and {behind - 5} more" : "")}"
                : $"The side that takes over is not opened yet: {letters} dead letters came since the other side was left, changes that progress has passed without applying them",
            behind > 0
                ? $"Lanes that are behind apply again by themselves, and it is opened then: 'cdcm status' shows what keeps them. Where one is beyond, or the log has these changes no more: keep applications away, compare both sides and mend the one that takes over; then, on the other one, \"delete from cdc_migrator.journal where event = '{TermsEvent}'\" has it opened as it is"
                : "'cdcm dlq list' shows them, 'cdcm dlq retry' applies them; it is opened then");
    }
}
