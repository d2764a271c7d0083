using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Apply;
using CdcMigrator.Postgres.Faults;
using CdcMigrator.Postgres.Fencing;
using Npgsql;

namespace CdcMigrator.Postgres.Resync;

/// <summary>
/// Removes rows of the target whose keys the source no longer has, and no other: a row version is read first, then the source is asked in a
/// snapshot that sees every transaction that could have written it, and only that very version is deleted. A row that a lane wrote
/// meanwhile has another version and stays; one that comes back to the source later comes with its event.
/// </summary>
/// <param name="target">Apply sessions: replica role, so that nothing else fires.</param>
/// <param name="migration">Name of the migration.</param>
/// <param name="source">The source's rows.</param>
/// <param name="time">Clock of repeated attempts.</param>
public sealed class SurplusRows(NpgsqlDataSource target, string migration, ISourceRows source, TimeProvider time)
{
    private const int Chunk = 2000;
    private const int Attempts = 120;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    /// <summary>Goes through the whole table in the order of its key. Returns how many rows were removed. May be repeated.</summary>
    /// <exception cref="FaultException">A side does not answer. NotAllowed <c>side-in-use</c>: applications write to the target by now; what was removed before stays removed. Transient: a transaction of the source stayed open for minutes.</exception>
    public async Task<long> RemoveAsync(TableRoute route, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(route);
        try
        {
            await using var connection = await target.OpenConnectionAsync(cancellationToken);
            long removed = 0;
            string[]? last = null;
            while (true)
            {
                var rows = await ReadAsync(connection, route, last, cancellationToken);
                if (rows.Count == 0)
                {
                    return removed;
                }

                var missing = await MissingAsync(route, rows, cancellationToken);
                removed += missing.Count == 0 ? 0 : await DeleteAsync(connection, route, missing, cancellationToken);
                last = rows[^1].Key;
            }
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }

    private static async Task<List<RowVersion>> ReadAsync(NpgsqlConnection connection, TableRoute route, string[]? last, CancellationToken cancellationToken)
    {
        var names = route.Key.Columns.Select(column => $"t.{TableName.Quote(route.Target.Columns[column].Name)}").ToList();
        var after = last is null ? "" : $"where ({string.Join(", ", names)}) > ({string.Join(", ", route.Key.Columns.Select((column, i) => $"${i + 1}::text::{route.Target.Columns[column].Type.Sql}"))})";
        await using var command = new NpgsqlCommand(
            $"select {string.Join(", ", names.Select(name => $"{name}::text"))}, t.ctid::text, t.xmin::text from {route.Target.Name.Sql} t {after} order by {string.Join(", ", names)} limit {Chunk}", connection);
        foreach (var part in last ?? [])
        {
            command.Parameters.Add(new NpgsqlParameter { Value = part });
        }

        var rows = new List<RowVersion>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(new RowVersion([.. Enumerable.Range(0, names.Count).Select(reader.GetString)], reader.GetString(names.Count), reader.GetString(names.Count + 1)));
        }

        return rows;
    }

    /// <summary>What the source lacks. Transactions that ran when the versions had been read may have written them without being visible yet: they are waited for.</summary>
    private async Task<List<RowVersion>> MissingAsync(TableRoute route, List<RowVersion> rows, CancellationToken cancellationToken)
    {
        var running = await source.ReadRunningAsync(cancellationToken);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var found = await source.ReadAsync(route, [.. rows.Select(row => row.Key)], [], running, cancellationToken);
                return [.. rows.Where((_, i) => found[i] is null)];
            }
            catch (FaultException fault) when (fault.Fault.Code == "source-not-visible" && attempt < Attempts)
            {
                await Task.Delay(TimeSpan.FromTicks(Math.Min(Pause.Ticks * attempt, LongestPause.Ticks)), time, cancellationToken);
            }
        }
    }

    private async Task<int> DeleteAsync(NpgsqlConnection connection, TableRoute route, List<RowVersion> rows, CancellationToken cancellationToken)
    {
        var keys = route.Key.Columns.Select((column, i) => (Name: TableName.Quote(route.Target.Columns[column].Name), Place: i, route.Target.Columns[column].Type.Sql)).ToList();
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await AppliedSide.RequireAsync(connection, migration, "removing rows", cancellationToken);
        await using var command = new NpgsqlCommand($"""
            delete from {route.Target.Name.Sql} t
            using unnest($1::text[], $2::text[], {string.Join(", ", keys.Select(key => $"${key.Place + 3}::text[]"))}) as v(place, version, {string.Join(", ", keys.Select(key => $"k{key.Place}"))})
            where t.ctid = v.place::tid and t.xmin::text = v.version and {string.Join(" and ", keys.Select(key => $"t.{key.Name}::text = v.k{key.Place}"))}
            """, connection);
        command.Parameters.Add(new NpgsqlParameter { Value = rows.Select(row => row.Place).ToArray() });
        command.Parameters.Add(new NpgsqlParameter { Value = rows.Select(row => row.Version).ToArray() });
        foreach (var key in keys)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = rows.Select(row => row.Key[key.Place]).ToArray() });
        }

        var deleted = await command.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return deleted;
    }

    /// <summary>One version of a row: its key, where it lies, who wrote it.</summary>
    private sealed record RowVersion(string[] Key, string Place, string Version);
}
