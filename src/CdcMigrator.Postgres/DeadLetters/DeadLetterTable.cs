using System.Text.Encodings.Web;
using System.Text.Json;
using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using Npgsql;
using NpgsqlTypes;

namespace CdcMigrator.Postgres.DeadLetters;

/// <summary>Rows of <c>cdc_migrator.dead_letter</c> as lanes see them: which of their rows are parked, and adding to them.</summary>
internal static class DeadLetterTable
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Rows of a lane that have dead letters.</summary>
    public static async Task<IReadOnlyCollection<ChangeKey>> ReadKeysAsync(NpgsqlConnection connection, string migration, LaneId lane, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "select distinct table_name, row_key from cdc_migrator.dead_letter where migration = $1 and topic = $2 and partition = $3", connection)
        {
            Parameters = { new NpgsqlParameter { Value = migration }, new NpgsqlParameter { Value = lane.Topic }, new NpgsqlParameter { Value = lane.Partition } },
        };
        var keys = new List<ChangeKey>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            keys.Add(new ChangeKey(reader.GetString(0), reader.GetString(1)));
        }

        return keys;
    }

    /// <summary>Whether a source table has dead letters in any lane.</summary>
    public static async Task<bool> HasAnyAsync(NpgsqlConnection connection, string migration, TableName table, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select exists (select from cdc_migrator.dead_letter where migration = $1 and table_name = $2)", connection)
        {
            Parameters = { new NpgsqlParameter { Value = migration }, new NpgsqlParameter { Value = table.ToString() } },
        };
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    /// <summary>
    /// Adds records, last in the transaction that moves progress past them: the lock that makes the bounds exact is held until its commit, and
    /// whoever holds it waits for nothing more. A record that is parked already, because progress was set back, stays as it is.
    /// </summary>
    /// <exception cref="FaultException">Poison <c>dead-letters-full</c>: the bounds forbid it.</exception>
    public static async Task AddAsync(
        NpgsqlConnection connection, string migration, LaneProgress lane, IReadOnlyList<ParkedRecord> records, ApplySection limits, CancellationToken cancellationToken)
    {
        await using (var full = new NpgsqlCommand("""
            select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('cdc_migrator.dead_letter ' || $1, 0))
            """, connection))
        {
            full.Parameters.Add(new NpgsqlParameter { Value = migration });
            await full.ExecuteNonQueryAsync(cancellationToken);
        }

        await RefuseAboveBoundsAsync(connection, migration, lane.Lane, records, limits, cancellationToken);
        await using var command = new NpgsqlCommand("""
            insert into cdc_migrator.dead_letter
                (migration, topic, partition, cluster_id, record_offset, table_name, row_key, code, message, record_key, record_value, headers, record_ms, bytes)
            select $1, $2, $3, $4, r.* from unnest($5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[], $10::bytea[], $11::bytea[], $12::jsonb[], $13::bigint[], $14::bigint[]) as r(n)
            order by r.n
            on conflict on constraint dead_letter_record do nothing
            """, connection);
        void Add<T>(NpgsqlDbType type, Func<ParkedRecord, T> value) =>
            command.Parameters.Add(new NpgsqlParameter { Value = records.Select(value).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | type });
        command.Parameters.Add(new NpgsqlParameter { Value = migration });
        command.Parameters.Add(new NpgsqlParameter { Value = lane.Lane.Topic });
        command.Parameters.Add(new NpgsqlParameter { Value = lane.Lane.Partition });
        command.Parameters.Add(new NpgsqlParameter { Value = lane.ClusterId });
        Add(NpgsqlDbType.Bigint, parked => parked.Record.Offset);
        Add(NpgsqlDbType.Text, parked => parked.Key.Table);
        Add(NpgsqlDbType.Text, parked => parked.Key.Key);
        Add(NpgsqlDbType.Text, parked => parked.Code);
        Add(NpgsqlDbType.Text, parked => Text(parked.Message));
        Add(NpgsqlDbType.Bytea, parked => parked.Record.Key);
        Add(NpgsqlDbType.Bytea, parked => parked.Record.Value);
        Add(NpgsqlDbType.Jsonb, parked => JsonSerializer.Serialize(parked.Record.Headers.Select(header => new StoredHeader(Text(header.Key), header.Value)), Plain));
        Add(NpgsqlDbType.Bigint, parked => parked.Record.TimestampMs);
        Add(NpgsqlDbType.Bigint, parked => parked.Record.Size);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>A stored record as it came from the log.</summary>
    public static LogRecord ReadRecord(LaneId lane, long offset, long timestampMs, byte[]? key, byte[]? value, string headers) => new()
    {
        Lane = lane,
        Offset = offset,
        TimestampMs = timestampMs,
        Key = key,
        Value = value,
        Headers = [.. JsonSerializer.Deserialize<List<StoredHeader>>(headers, Plain)!.Select(header => new LogHeader(header.Key, header.Value))],
    };

    /// <summary>PostgreSQL's text has no NUL.</summary>
    internal static string Text(string text) => text.Replace('\0', '\uFFFD');

    private static async Task RefuseAboveBoundsAsync(
        NpgsqlConnection connection, string migration, LaneId lane, IReadOnlyList<ParkedRecord> records, ApplySection limits, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select count(*), coalesce(sum(bytes), 0)::bigint from cdc_migrator.dead_letter where migration = $1", connection);
        command.Parameters.Add(new NpgsqlParameter { Value = migration });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var (count, bytes) = (reader.GetInt64(0), reader.GetInt64(1));
        if (count + records.Count <= limits.DeadLetterCount && bytes + records.Sum(parked => parked.Record.Size) <= limits.DeadLetterBytes)
        {
            return;
        }

        throw new FaultException(new Fault(
            FaultKind.Poison,
            "dead-letters-full",
            $"{count} dead letters with {bytes} bytes are parked, and no more fit into apply.deadLetterCount ({limits.DeadLetterCount}) and apply.deadLetterBytes ({limits.DeadLetterBytes}); "
                + $"this one is refused as {records[0].Code}: {records[0].Message}",
            "Mend the cause and run 'cdcm dlq retry --all', or raise the bound; the lane then goes on by itself")
        {
            Lane = lane,
            Offset = records[0].Record.Offset,
            Table = records[0].Key.Table,
            Key = records[0].Key.Key,
        });
    }

    private sealed record StoredHeader(string Key, byte[]? Value);
}
