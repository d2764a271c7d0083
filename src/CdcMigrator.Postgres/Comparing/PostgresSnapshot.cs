using System.Data;
using System.Globalization;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.Comparing;

/// <summary>
/// Rows of one PostgreSQL side in a repeatable read transaction. A table that was truncated or rewritten after the snapshot was taken is not what the snapshot
/// would show (neither keeps old versions), so on first use of a table it is locked against that and its file compared with the snapshot's catalog.
/// </summary>
internal abstract partial class PostgresSnapshot : ISideSnapshot
{
    private const int KeysOfStatement = 20_000;

    private const string SameFile = """
        select not exists (
            select from (select pg_catalog.to_regclass($1)::oid union select relid::oid from pg_catalog.pg_partition_tree(pg_catalog.to_regclass($1))) as now(oid)
            left join pg_catalog.pg_class c on c.oid = now.oid and c.relfilenode = coalesce(pg_catalog.pg_relation_filenode(now.oid), 0)
            where c.oid is null)
        """;

    private readonly NpgsqlTransaction transaction;
    private readonly bool ofSource;
    private readonly HashSql hashes;
    private readonly HashSet<TableName> entered = [];

    /// <param name="connection">A session of <see cref="Connections.PostgresConnections.CreateVerify"/>; disposed with the snapshot.</param>
    /// <param name="transaction">Its transaction, whose snapshot is taken.</param>
    /// <param name="ofSource">Which side's names are used.</param>
    /// <param name="hashes">How rows are hashed.</param>
    protected PostgresSnapshot(NpgsqlConnection connection, NpgsqlTransaction transaction, bool ofSource, HashSql hashes)
    {
        this.hashes = hashes;
        Connection = connection;
        this.transaction = transaction;
        this.ofSource = ofSource;
    }

    /// <summary>The session.</summary>
    protected NpgsqlConnection Connection { get; }

    /// <inheritdoc />
    public Task<ChunkDigest> DigestAsync(ComparedTable table, KeyRange range, CancellationToken cancellationToken) => ReadAsync(table, async sql =>
    {
        if (table.Hashing == HashPlace.Here)
        {
            var row = new RowBytes(table);
            var digest = default(ChunkDigest);
            var wanted = range.Buckets?.ToHashSet();
            await CopyAsync(sql, wanted is null ? range : KeyRange.All, row, () =>
            {
                if (wanted?.Contains(row.BucketOf(range.BucketCount)) != false)
                {
                    digest = new ChunkDigest(digest.Rows + 1, digest.Sum + row.Hash);
                }
            }, cancellationToken);
            return digest;
        }

        await using var command = new NpgsqlCommand { Connection = Connection };
        command.CommandText = $"select count(*), {sql.Sum(sql.Hash)} from {sql.From} where {sql.Where(range, command.Parameters)}";
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return Digest(reader, 0);
    }, cancellationToken);

    /// <inheritdoc />
    public Task<IReadOnlyList<ChunkDigest>> DigestBucketsAsync(ComparedTable table, int buckets, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(int.IsPow2(buckets), true);
        return ReadAsync<IReadOnlyList<ChunkDigest>>(table, async sql =>
        {
            var digests = new ChunkDigest[buckets];
            if (table.Hashing == HashPlace.Here)
            {
                var row = new RowBytes(table);
                await CopyAsync(sql, KeyRange.All, row, () =>
                {
                    ref var digest = ref digests[row.BucketOf(buckets)];
                    digest = new ChunkDigest(digest.Rows + 1, digest.Sum + row.Hash);
                }, cancellationToken);
                return digests;
            }

            // Behind OFFSET the planner does not see that the bucket comes from the key: else it expects as many buckets as keys, and sorts all rows.
            await using var command = new NpgsqlCommand(
                $"select b, count(*), {sql.Sum("h")} from (select {sql.Bucket(buckets)} as b, {sql.Hash} as h from {sql.From} offset 0) as r group by b", Connection);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                digests[reader.GetInt32(0)] = Digest(reader, 1);
            }

            return digests;
        }, cancellationToken);
    }

    /// <inheritdoc />
    public Task<IReadOnlyList<RowHash>> HashesAsync(ComparedTable table, KeyRange range, CancellationToken cancellationToken) =>
        ReadAsync<IReadOnlyList<RowHash>>(table, async sql =>
        {
            var rows = new RowHashes(table);
            if (table.Hashing == HashPlace.Here)
            {
                var hasher = new RowHasher(table);
                await ForEachAsync(table, sql, range, row => rows.Add(hasher.KeyOf(row), hasher.Hash(row)), cancellationToken);
                return rows.ToList();
            }

            await using var command = new NpgsqlCommand { Connection = Connection };
            var where = sql.Where(range, command.Parameters);
            command.CommandText = table.IsKeyless
                ? $"select h, count(*) from (select {sql.Hash} as h from {sql.From} where {where}) as r group by h"
                : $"select {string.Join(", ", sql.Key)}, {sql.Hash} from {sql.From} where {where}";
            command.UnknownResultTypeList = table.IsKeyless ? [false, false] : [.. Enumerable.Repeat(true, table.Key.Count), false];
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                rows.Add(table.IsKeyless ? RowHasher.KeyOf(reader.GetInt64(0)) : Key(table, reader), reader.GetInt64(table.Key.Count), table.IsKeyless ? reader.GetInt64(1) : 1);
            }

            return rows.ToList();
        }, cancellationToken);

    /// <inheritdoc />
    public Task<IReadOnlyList<RowHash>> HashesAsync(ComparedTable table, IReadOnlyCollection<RowKey> keys, CancellationToken cancellationToken) =>
        ReadAsync<IReadOnlyList<RowHash>>(table, async sql =>
        {
            var rows = new RowHashes(table);
            var hasher = new RowHasher(table);
            if (table.IsKeyless)
            {
                var wanted = keys.ToHashSet();
                foreach (var row in await HashesAsync(table, KeyRange.All, cancellationToken))
                {
                    if (wanted.Contains(row.Key))
                    {
                        rows.Add(row.Key, row.Hash, row.Copies);
                    }
                }

                return rows.ToList();
            }

            foreach (var part in keys.Chunk(KeysOfStatement))
            {
                await using var command = new NpgsqlCommand { Connection = Connection };
                var from = sql.FromKeys(part, command.Parameters);
                if (table.Hashing == HashPlace.Here)
                {
                    command.CommandText = $"select {string.Join(", ", sql.Values)} from {from}";
                    await ForEachAsync(table, command, row => rows.Add(hasher.KeyOf(row), hasher.Hash(row)), cancellationToken);
                    continue;
                }

                command.CommandText = $"select k.n::int, {sql.Hash} from {from}";
                await using var reader = await command.ExecuteReaderAsync(cancellationToken);
                while (await reader.ReadAsync(cancellationToken))
                {
                    rows.Add(part[reader.GetInt32(0) - 1], reader.GetInt64(1));
                }
            }

            return rows.ToList();
        }, cancellationToken);

    /// <inheritdoc />
    public Task<IReadOnlyDictionary<RowKey, string?[]>> RowsAsync(ComparedTable table, IReadOnlyCollection<RowKey> keys, CancellationToken cancellationToken) =>
        ReadAsync<IReadOnlyDictionary<RowKey, string?[]>>(table, async sql =>
        {
            var rows = new Dictionary<RowKey, string?[]>();
            var hasher = new RowHasher(table);
            if (!table.IsKeyless)
            {
                foreach (var part in keys.Chunk(KeysOfStatement))
                {
                    await using var command = new NpgsqlCommand { Connection = Connection };
                    command.CommandText = $"select {string.Join(", ", sql.Values)} from {sql.FromKeys(part, command.Parameters)}";
                    await ForEachAsync(table, command, row => rows[hasher.KeyOf(row)] = [.. row], cancellationToken);
                }

                return rows;
            }

            var wanted = keys.ToHashSet();
            if (table.Hashing == HashPlace.Here)
            {
                await ForEachAsync(table, sql, KeyRange.All, row =>
                {
                    if (hasher.KeyOf(row) is var key && wanted.Contains(key))
                    {
                        rows[key] = [.. row];
                    }
                }, cancellationToken);
                return rows;
            }

            await using var found = new NpgsqlCommand($"select {string.Join(", ", sql.Values.Prepend(sql.Hash))} from {sql.From} where {sql.Hash} = any($1)", Connection);
            found.Parameters.Add(new NpgsqlParameter { Value = wanted.Select(key => long.Parse(key.Values[0], CultureInfo.InvariantCulture)).ToArray() });
            found.AllResultTypesAreUnknown = true;
            await using var reader = await found.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                rows[new RowKey(reader.GetString(0))] = [.. Enumerable.Range(1, table.Columns.Count).Select(i => reader.IsDBNull(i) ? null : reader.GetString(i))];
            }

            return rows;
        }, cancellationToken);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        try
        {
            await transaction.DisposeAsync();
        }
        catch (Exception exception) when (exception is InvalidOperationException || PostgresFaults.IsOfServer(exception))
        {
            // The session is gone, and the snapshot with it.
        }

        await Connection.DisposeAsync();
    }

    /// <summary>Begins a transaction in a new session and hands both to <paramref name="open"/>, which takes the snapshot by its first statement.</summary>
    protected static async Task<T> OpenAsync<T>(NpgsqlDataSource database, Func<NpgsqlConnection, NpgsqlTransaction, Task<T>> open, CancellationToken cancellationToken)
    {
        NpgsqlConnection? connection = null;
        try
        {
            connection = await database.OpenConnectionAsync(cancellationToken);
            var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
            return await open(connection, transaction);
        }
        catch (Exception exception)
        {
            if (connection is not null)
            {
                await connection.DisposeAsync();
            }

            if (PostgresFaults.IsOfServer(exception))
            {
                throw PostgresFaults.ToException(exception);
            }

            throw;
        }
    }

    /// <summary>Reads of a table, with what goes wrong as a fault that names it.</summary>
    protected async Task<T> ReadAsync<T>(ComparedTable table, Func<RowSql, Task<T>> read, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(table);
        var sql = new RowSql(table, ofSource, hashes);
        try
        {
            await EnterAsync(sql.Name, cancellationToken);
            return await read(sql);
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw new FaultException(Named(PostgresFaults.Classify(exception), exception, sql.Name) with { Table = table.Source.ToString() }, exception);
        }
        catch (System.Text.DecoderFallbackException exception)
        {
            throw new FaultException(new Fault(FaultKind.Configuration, "encoding", $"{Side} {sql.Name} holds text that is none in the database's encoding", "Mend the text, or exclude the column")
            {
                Table = table.Source.ToString(),
            }, exception);
        }
    }

    private string Side => ofSource ? "The source's" : "The target's";

    /// <summary>What PostgreSQL says of a value may hold it, and values stay out of messages.</summary>
    private Fault Named(Fault fault, Exception exception, TableName table) => fault.Kind is FaultKind.Poison
        ? new Fault(FaultKind.Configuration, "not-comparable", $"{Side} {table} has a value that cannot be compared as the other side's type (SQLSTATE {(exception as NpgsqlException)?.SqlState})",
            "Give the column the same type on both sides, or exclude it")
        : fault with { Message = $"{Side} {table} cannot be compared: {fault.Message}" };

    private async Task EnterAsync(TableName name, CancellationToken cancellationToken)
    {
        if (!entered.Add(name))
        {
            return;
        }

        await using (var hold = new NpgsqlCommand($"lock table {name.Sql} in access share mode", Connection))
        {
            await hold.ExecuteNonQueryAsync(cancellationToken);
        }

        await using var command = new NpgsqlCommand(SameFile, Connection) { Parameters = { new NpgsqlParameter { Value = name.Sql } } };
        if (await command.ExecuteScalarAsync(cancellationToken) is not true)
        {
            throw new FaultException(FaultKind.Transient, "table-rewritten", $"{Side} {name} was truncated, rewritten or made anew after the snapshot was taken", "It is compared again");
        }
    }

    /// <summary>Rows of a range of keys as bytes, for sums.</summary>
    private Task CopyAsync(RowSql sql, KeyRange range, RowBytes row, Action action, CancellationToken cancellationToken)
    {
        var columns = sql.Copied;
        return RowCopy.ForEachAsync(
            Connection, $"select {string.Join(", ", columns.Select(column => column.Sql))} from {sql.From} where {sql.WhereLiteral(range)}", columns, row, action, cancellationToken);
    }

    private async Task ForEachAsync(ComparedTable table, RowSql sql, KeyRange range, RowAction action, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand { Connection = Connection };
        var byBucket = range.Buckets is null ? null : range.Buckets.ToHashSet();
        command.CommandText = $"select {string.Join(", ", sql.Values)} from {sql.From} where {sql.Where(byBucket is null ? range : KeyRange.All, command.Parameters)}";
        var hasher = new RowHasher(table);
        await ForEachAsync(table, command, row =>
        {
            if (byBucket is null || byBucket.Contains(hasher.BucketOf(row, range.BucketCount)))
            {
                action(row);
            }
        }, cancellationToken);
    }

    private static async Task ForEachAsync(ComparedTable table, NpgsqlCommand command, RowAction action, CancellationToken cancellationToken)
    {
        command.AllResultTypesAreUnknown = true;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var row = new string?[table.Columns.Count];
        while (await reader.ReadAsync(cancellationToken))
        {
            for (var i = 0; i < row.Length; i++)
            {
                row[i] = reader.IsDBNull(i) ? null : reader.GetString(i);
            }

            if (table.Hashing == HashPlace.Here)
            {
                CanonicalText.Normalise(table, row);
            }

            action(row);
        }
    }

    private static RowKey Key(ComparedTable table, NpgsqlDataReader reader)
    {
        var values = new string[table.Key.Count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = reader.GetString(i);
        }

        return new RowKey(values);
    }

    private static ChunkDigest Digest(NpgsqlDataReader reader, int first) =>
        new(reader.GetInt64(first), reader.IsDBNull(first + 1) ? 0 : Int128.Parse(reader.GetString(first + 1), CultureInfo.InvariantCulture));

    private delegate void RowAction(ReadOnlySpan<string?> row);
}
