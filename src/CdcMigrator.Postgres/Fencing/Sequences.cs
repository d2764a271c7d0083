using CdcMigrator.Domain.Tables;
using Npgsql;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>
/// Moves sequences of the side that takes over past those of the side that is left. Only ever further in the direction of the
/// increment, so it may be repeated. To be called behind the fence: before it, values are still being handed out.
/// </summary>
public static class Sequences
{
    /// <summary>Advances every sequence of the given schemas that exists on both sides; returns those that moved.</summary>
    /// <param name="from">The side that is left.</param>
    /// <param name="to">The side that takes over.</param>
    /// <param name="schemas">Schema of the source to schema of the target.</param>
    /// <param name="margin">Values skipped beyond the last one handed out.</param>
    /// <param name="cancellationToken">Stops between sequences.</param>
    public static async Task<IReadOnlyList<TableName>> AdvanceAsync(
        NpgsqlDataSource from, NpgsqlDataSource to, IReadOnlyDictionary<string, string> schemas, long margin, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);
        ArgumentNullException.ThrowIfNull(schemas);
        var advanced = new List<TableName>();
        foreach (var (sequence, lastValue) in await ReadAsync(from, [.. schemas.Keys], cancellationToken))
        {
            var name = new TableName(schemas[sequence.Schema], sequence.Name);
            await using var command = to.CreateCommand("""
                select setval(format('%I.%I', schemaname, sequencename)::regclass,
                    case when increment_by > 0 then least(max_value, $3 + $4 * increment_by) else greatest(min_value, $3 + $4 * increment_by) end)
                from pg_sequences
                where schemaname = $1 and sequencename = $2
                    and (last_value is null or case when increment_by > 0 then last_value < $3 + $4 * increment_by else last_value > $3 + $4 * increment_by end)
                """);
            command.Parameters.Add(new NpgsqlParameter { Value = name.Schema });
            command.Parameters.Add(new NpgsqlParameter { Value = name.Name });
            command.Parameters.Add(new NpgsqlParameter { Value = lastValue });
            command.Parameters.Add(new NpgsqlParameter { Value = margin });
            if (await command.ExecuteScalarAsync(cancellationToken) is long)
            {
                advanced.Add(name);
            }
        }

        return advanced;
    }

    /// <summary>Sequences of the schemas that have handed out values: those that would be advanced at most.</summary>
    public static async Task<IReadOnlyList<TableName>> ListAsync(NpgsqlDataSource database, string[] schemas, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(database);
        return [.. (await ReadAsync(database, schemas, cancellationToken)).Select(sequence => sequence.Sequence)];
    }

    private static async Task<IReadOnlyList<(TableName Sequence, long LastValue)>> ReadAsync(
        NpgsqlDataSource database, string[] schemas, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            "select schemaname, sequencename, last_value from pg_sequences where schemaname = any($1) and last_value is not null order by 1, 2");
        command.Parameters.Add(new NpgsqlParameter { Value = schemas });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var found = new List<(TableName, long)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            found.Add((new TableName(reader.GetString(0), reader.GetString(1)), reader.GetInt64(2)));
        }

        return found;
    }
}
