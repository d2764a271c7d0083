using System.Globalization;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.MariaDb.Connections;
using CdcMigrator.MariaDb.Faults;
using CdcMigrator.MariaDb.Fencing;
using CdcMigrator.Postgres.Comparing;
using MySqlConnector;

namespace CdcMigrator.MariaDb.Comparing;

/// <summary>
/// Rows of a MariaDB source in a consistent snapshot, hashed here as the text their target columns would have. InnoDB itself refuses to read a table that was
/// truncated or rebuilt after the snapshot was taken.
/// </summary>
internal sealed partial class MariaDbSnapshot : ISourceSnapshot
{
    private const int KeysOfQuery = 500;
    private const int TableDefinitionChanged = 1412;

    /// <summary>The server waits for us while rows are hashed; a digest may take long; what text looks like is pinned.</summary>
    private const string Settings = """
        set session sql_mode = '', net_write_timeout = 3600, max_statement_time = 0, lock_wait_timeout = 30; set session transaction isolation level repeatable read
        """;

    private readonly MySqlConnection connection;

    private MariaDbSnapshot(MySqlConnection connection, MariaDbView view)
    {
        this.connection = connection;
        View = view;
    }

    private delegate void RowAction(ReadOnlySpan<string?> row);

    /// <inheritdoc />
    public ISourceView View { get; }

    /// <summary>Takes a snapshot.</summary>
    /// <exception cref="FaultException">NotAllowed <c>source-snapshot</c>: the server does not say which place in the binlog a snapshot has. Unreachable.</exception>
    public static async Task<MariaDbSnapshot> OpenAsync(MySqlDataSource source, CancellationToken cancellationToken)
    {
        MySqlConnection? connection = null;
        try
        {
            connection = await MariaDbConnections.OpenAsync(source, cancellationToken);
            await ExecuteAsync(connection, Settings, cancellationToken);
            await ExecuteAsync(connection, "start transaction with consistent snapshot, read only", cancellationToken);
            return new MariaDbSnapshot(connection, new MariaDbView(await PositionAsync(connection, cancellationToken)));
        }
        catch (Exception exception)
        {
            if (connection is not null)
            {
                await connection.DisposeAsync();
            }

            if (exception is MySqlException error)
            {
                throw error.Number == 1193 ? new FaultException(NoPosition(), exception) : MariaDbFaults.ToException(error);
            }

            throw;
        }
    }

    /// <inheritdoc />
    public async Task<ChunkDigest> DigestAsync(ComparedTable table, KeyRange range, CancellationToken cancellationToken)
    {
        var row = new RowBytes(table);
        var digest = default(ChunkDigest);
        var wanted = range.Buckets?.ToHashSet();
        await ForEachBytesAsync(table, range, row, () =>
        {
            if (wanted?.Contains(row.BucketOf(range.BucketCount)) != false)
            {
                digest = new ChunkDigest(digest.Rows + 1, digest.Sum + row.Hash);
            }
        }, cancellationToken);
        return digest;
    }

    /// <inheritdoc />
    public async Task<IReadOnlyList<ChunkDigest>> DigestBucketsAsync(ComparedTable table, int buckets, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(int.IsPow2(buckets), true);
        var row = new RowBytes(table);
        var digests = new ChunkDigest[buckets];
        await ForEachBytesAsync(table, KeyRange.All, row, () =>
        {
            ref var digest = ref digests[row.BucketOf(buckets)];
            digest = new ChunkDigest(digest.Rows + 1, digest.Sum + row.Hash);
        }, cancellationToken);
        return digests;
    }

    /// <inheritdoc />
    public async Task<IReadOnlyList<RowHash>> HashesAsync(ComparedTable table, KeyRange range, CancellationToken cancellationToken)
    {
        var (rows, hasher) = (new RowHashes(table), new RowHasher(table));
        await ForEachAsync(table, range, row => rows.Add(hasher.KeyOf(row), hasher.Hash(row)), cancellationToken);
        return rows.ToList();
    }

    /// <inheritdoc />
    public async Task<IReadOnlyList<RowHash>> HashesAsync(ComparedTable table, IReadOnlyCollection<RowKey> keys, CancellationToken cancellationToken)
    {
        var (rows, hasher) = (new RowHashes(table), new RowHasher(table));
        await ForEachAsync(table, keys, (key, row) => rows.Add(key, hasher.Hash(row)), cancellationToken);
        return rows.ToList();
    }

    /// <inheritdoc />
    public async Task<IReadOnlyDictionary<RowKey, string?[]>> RowsAsync(ComparedTable table, IReadOnlyCollection<RowKey> keys, CancellationToken cancellationToken)
    {
        var rows = new Dictionary<RowKey, string?[]>();
        await ForEachAsync(table, keys, (key, row) => rows[key] = [.. row], cancellationToken);
        return rows;
    }

    /// <inheritdoc />
    public async Task<RowKey?> BoundaryAsync(ComparedTable table, RowKey? after, long rows, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        var values = MariaDbComparedTables.ValuesOf(table);
        var key = table.Key.Select(ordinal => values[ordinal]).ToList();
        var sorted = string.Join(", ", key.Select(column => column.Name));
        RowKey? boundary = null;
        await QueryAsync(table,
            $"select {string.Join(", ", key.Select(column => column.Sql))} from {MariaDbConnections.Sql(table.Source)} t where {Where(key, new KeyRange(after, null))} order by {sorted} limit {rows - 1}, 1",
            key, table.Key, row => boundary = new RowKey([.. row.ToArray().Select(value => value!)]), cancellationToken);
        return boundary;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        try
        {
            await ExecuteAsync(connection, "rollback", CancellationToken.None);
        }
        catch (Exception exception) when (exception is MySqlException or InvalidOperationException)
        {
            // The session is gone, and the snapshot with it.
        }

        await connection.DisposeAsync();
    }

    private async Task ForEachAsync(ComparedTable table, KeyRange range, RowAction action, CancellationToken cancellationToken)
    {
        var values = MariaDbComparedTables.ValuesOf(table);
        var wanted = range.Buckets is null ? null : range.Buckets.ToHashSet();
        var hasher = new RowHasher(table);
        await QueryAsync(table, Select(table, values, Where([.. table.Key.Select(ordinal => values[ordinal])], range)), values, null, row =>
        {
            if (wanted is null || wanted.Contains(hasher.BucketOf(row, range.BucketCount)))
            {
                action(row);
            }
        }, cancellationToken);
    }

    /// <summary>Rows as bytes, for sums.</summary>
    private async Task ForEachBytesAsync(ComparedTable table, KeyRange range, RowBytes row, Action action, CancellationToken cancellationToken)
    {
        var values = MariaDbComparedTables.ValuesOf(table);
        var sql = $"select {string.Join(", ", values.Select(value => value.BytesSql))} from {MariaDbConnections.Sql(table.Source)} t where {Where([.. table.Key.Select(ordinal => values[ordinal])], range)}";
        var bytes = new byte[1024];
        await QueryAsync(table, sql, reader =>
        {
            row.Begin();
            for (var i = 0; i < values.Count; i++)
            {
                values[i].Append(reader, i, row, ref bytes);
            }

            action();
        }, cancellationToken);
    }

    /// <summary>Under a collation other spellings of a key are found too; they are other rows.</summary>
    private async Task ForEachAsync(ComparedTable table, IReadOnlyCollection<RowKey> keys, Action<RowKey, ReadOnlySpan<string?>> action, CancellationToken cancellationToken)
    {
        var values = MariaDbComparedTables.ValuesOf(table);
        var hasher = new RowHasher(table);
        HashSet<RowKey> wanted = [];
        void Found(ReadOnlySpan<string?> row)
        {
            if (hasher.KeyOf(row) is var key && wanted.Contains(key))
            {
                action(key, row);
            }
        }

        if (table.IsKeyless)
        {
            wanted = [.. keys];
            await QueryAsync(table, Select(table, values, "true"), values, null, Found, cancellationToken);
            return;
        }

        foreach (var part in keys.Chunk(KeysOfQuery))
        {
            wanted = [.. part];
            var found = table.Key.Count == 1
                ? $"{values[table.Key[0]].Name} in ({string.Join(", ", part.Select(key => values[table.Key[0]].Literal(key.Values[0])))})"
                : string.Join(" or ", part.Select(key => $"({string.Join(" and ", table.Key.Select((ordinal, i) => $"{values[ordinal].Name} = {values[ordinal].Literal(key.Values[i])}"))})"));
            await QueryAsync(table, Select(table, values, found), values, null, Found, cancellationToken);
        }
    }

    private static string Select(ComparedTable table, IReadOnlyList<ComparedValue> values, string where) =>
        $"select {string.Join(", ", values.Select(value => value.Sql))} from {MariaDbConnections.Sql(table.Source)} t where {where}";

    /// <summary>A range as conditions the server finds an index range for, which it does not for rows of more than one column.</summary>
    private static string Where(List<ComparedValue> key, KeyRange range)
    {
        var after = range.After is null || range.Buckets is not null ? "true" : $"{key[0].Name} >= {key[0].Literal(range.After.Values[0])} and {Beyond(key, range.After, ">", 0)}";
        return range.UpTo is null || range.Buckets is not null ? after : $"{after} and {key[0].Name} <= {key[0].Literal(range.UpTo.Values[0])} and {Beyond(key, range.UpTo, "<", 0)}";
    }

    private static string Beyond(List<ComparedValue> key, RowKey end, string side, int part)
    {
        var (name, literal) = (key[part].Name, key[part].Literal(end.Values[part]));
        return part == key.Count - 1
            ? $"{name} {side}{(side == "<" ? "=" : "")} {literal}"
            : $"({name} {side} {literal} or ({name} = {literal} and {Beyond(key, end, side, part + 1)}))";
    }

    /// <summary>Reads rows of some columns, in their forms.</summary>
    /// <param name="table">The table.</param>
    /// <param name="sql">The query.</param>
    /// <param name="values">What it selects.</param>
    /// <param name="ordinals">Which columns these are; null for all, in order.</param>
    /// <param name="action">Gets each row.</param>
    /// <param name="cancellationToken">Stops the query.</param>
    private async Task QueryAsync(
        ComparedTable table, string sql, IReadOnlyList<ComparedValue> values, IReadOnlyList<int>? ordinals, RowAction action, CancellationToken cancellationToken)
    {
        var row = new string?[values.Count];
        await QueryAsync(table, sql, reader =>
        {
            for (var i = 0; i < row.Length; i++)
            {
                row[i] = values[i].Read(reader, i) is { } text ? CanonicalText.Of(table.Columns[ordinals?[i] ?? i].Form, text) : null;
            }

            action(row);
        }, cancellationToken);
    }

    private async Task QueryAsync(ComparedTable table, string sql, Action<MySqlDataReader> action, CancellationToken cancellationToken)
    {
        try
        {
            await using var command = new MySqlCommand(sql, connection) { CommandTimeout = 0 };
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                action(reader);
            }
        }
        catch (MySqlException exception)
        {
            var known = MariaDbFaults.Classify(exception);
            var fault = exception.Number == TableDefinitionChanged
                ? new Fault(FaultKind.Transient, "table-rewritten", $"The source's {table.Source} was truncated or rebuilt after the snapshot was taken", "It is compared again")
                : known with { Message = $"The source's {table.Source} cannot be compared: {known.Message}" };
            throw new FaultException(fault with { Table = table.Source.ToString() }, exception);
        }
    }

    private static async Task<BinlogPosition> PositionAsync(MySqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new MySqlCommand("show status where variable_name in ('binlog_snapshot_file', 'binlog_snapshot_position')", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var status = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        while (await reader.ReadAsync(cancellationToken))
        {
            status[reader.GetString(0)] = reader.GetString(1);
        }

        return status.GetValueOrDefault("binlog_snapshot_file") is { Length: > 0 } file && status.GetValueOrDefault("binlog_snapshot_position") is { } offset
            ? BinlogPosition.Of(file, ulong.Parse(offset, CultureInfo.InvariantCulture))
            : throw new FaultException(NoPosition());
    }

    private static Fault NoPosition() => new(
        FaultKind.NotAllowed, "source-snapshot",
        "The source does not say to which place in its binlog a snapshot belongs, so that a difference could not be told from a change on its way",
        "Use a MariaDB source with log_bin; Oracle MySQL has no such variable");

    private static async Task ExecuteAsync(MySqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new MySqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
