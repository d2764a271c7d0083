using System.Text.Json;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Log;
using Npgsql;

namespace CdcMigrator.Postgres.Comparing;

/// <summary>A snapshot of the target, taken by reading the progress of its lanes.</summary>
internal sealed class TargetSnapshot : PostgresSnapshot, ITargetSnapshot
{
    private readonly string migration;

    private TargetSnapshot(NpgsqlConnection connection, NpgsqlTransaction transaction, HashSql hashes, string migration, IReadOnlyDictionary<LaneId, long> progress)
        : base(connection, transaction, ofSource: false, hashes)
    {
        this.migration = migration;
        Progress = progress;
    }

    /// <inheritdoc />
    public IReadOnlyDictionary<LaneId, long> Progress { get; }

    /// <summary>The session, for checks that read in the same snapshot.</summary>
    internal NpgsqlConnection Session => Connection;

    /// <summary>Takes a snapshot.</summary>
    public static Task<TargetSnapshot> OpenAsync(NpgsqlDataSource target, HashSql hashes, string migration, string? cluster, CancellationToken cancellationToken) =>
        OpenAsync(target, async (connection, transaction) =>
        {
            await using var command = new NpgsqlCommand(
                "select topic, partition, next_offset from cdc_migrator.progress where migration = $1 and ($2::text is null or cluster_id = $2)", connection);
            command.Parameters.Add(new NpgsqlParameter { Value = migration });
            command.Parameters.Add(new NpgsqlParameter { Value = (object?)cluster ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text });
            var progress = new Dictionary<LaneId, long>();
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                progress[new LaneId(reader.GetString(0), reader.GetInt32(1))] = reader.GetInt64(2);
            }

            return new TargetSnapshot(connection, transaction, hashes, migration, progress);
        }, cancellationToken);

    /// <inheritdoc />
    public Task<IReadOnlySet<RowKey>?> ParkedAsync(ComparedTable table, CancellationToken cancellationToken) => ReadAsync<IReadOnlySet<RowKey>?>(table, async _ =>
    {
        await using var command = new NpgsqlCommand("select distinct row_key from cdc_migrator.dead_letter where migration = $1 and table_name = $2", Connection);
        command.Parameters.Add(new NpgsqlParameter { Value = migration });
        command.Parameters.Add(new NpgsqlParameter { Value = table.Source.ToString() });
        var keys = new HashSet<RowKey>();
        var all = true;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            all &= KeyOf(table, reader.GetString(0)) is { } key && keys.Add(key);
        }

        return all ? keys : null;
    }, cancellationToken);

    /// <summary>The key of a dead letter, <c>{"column":"text"}</c> by the source's names; null where it is not that of this table as it is now.</summary>
    internal static RowKey? KeyOf(ComparedTable table, string stored)
    {
        if (table.IsKeyless)
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(stored);
            var values = new string[table.Key.Count];
            for (var i = 0; i < values.Length; i++)
            {
                var column = table.Columns[table.Key[i]];
                if (!document.RootElement.TryGetProperty(column.Source, out var value) || value.ValueKind != JsonValueKind.String)
                {
                    return null;
                }

                values[i] = CanonicalText.Of(column.Form, value.GetString()!);
            }

            return new RowKey(values);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
