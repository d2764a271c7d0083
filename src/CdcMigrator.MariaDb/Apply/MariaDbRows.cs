using System.Collections.Concurrent;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.MariaDb.Catalog;
using CdcMigrator.MariaDb.Connections;
using CdcMigrator.MariaDb.Faults;
using CdcMigrator.MariaDb.Fencing;
using CdcMigrator.MariaDb.Values;
using CdcMigrator.Postgres.Apply;
using MySqlConnector;

namespace CdcMigrator.MariaDb.Apply;

/// <summary>
/// Reads rows of a MariaDB or MySQL source by key, as PostgreSQL's text. Needs the server the connector reads. A transaction is in the binlog a
/// moment before others see it, so a read must not be older than the binlog was at the call. Thread-safe.
/// </summary>
/// <param name="source">The pool.</param>
public sealed class MariaDbRows(MySqlDataSource source) : ISourceRows
{
    private const int KeysOfQuery = 500;
    private const int Looks = 200;
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(25);
    private readonly ConcurrentDictionary<TableName, SourceTable> tables = new();

    /// <inheritdoc />
    public async Task<IReadOnlyList<string?[]?>> ReadAsync(
        TableRoute route, IReadOnlyList<string[]> keys, IReadOnlyList<int> columns, IReadOnlyCollection<uint> transactions, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(route);
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(columns);
        try
        {
            await using var connection = await MariaDbConnections.OpenAsync(source, cancellationToken);
            var table = await TableAsync(connection, route, cancellationToken);
            var key = route.Key.Columns.Select(ordinal => Value(table, route, ordinal)).ToArray();
            var values = columns.Select(ordinal => Value(table, route, ordinal)).ToArray();
            var mariaDb = connection.ServerVersion.Contains("MariaDB", StringComparison.OrdinalIgnoreCase);
            if (mariaDb)
            {
                await BeginSnapshotAsync(connection, cancellationToken);
            }

            var rows = new Dictionary<string, string?[]>(StringComparer.Ordinal);
            for (var from = 0; from < keys.Count; from += KeysOfQuery)
            {
                // MySQL says of no snapshot which binlog it belongs to; there the read waits for the row's writer instead.
                await QueryAsync(connection, route, key, values, keys.Skip(from).Take(KeysOfQuery), mariaDb ? "" : " lock in share mode", rows, cancellationToken);
            }

            await ExecuteAsync(connection, "rollback", cancellationToken);
            return [.. keys.Select(asked => rows.GetValueOrDefault(Identity(key, asked)))];
        }
        catch (MySqlException exception)
        {
            tables.TryRemove(route.Source, out _);
            var fault = MariaDbFaults.Classify(exception);
            throw new FaultException(fault with { Message = $"Reading {route.Source}: {fault.Message}", Table = route.Source.ToString() }, exception);
        }
        catch (SourceValueException)
        {
            tables.TryRemove(route.Source, out _);
            throw;
        }
        catch (FaultException exception)
        {
            tables.TryRemove(route.Source, out _);
            throw new FaultException(exception.Fault with { Table = route.Source.ToString() }, exception);
        }
    }

    /// <summary>Never asked: a change of MariaDB has no LSN, without which no TRUNCATE is applied across lanes.</summary>
    public IAsyncEnumerable<string[]> ReadKeysAsync(TableRoute route, IReadOnlyCollection<uint> transactions, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <summary>None: every read sees all that the binlog held at its call.</summary>
    public Task<IReadOnlyCollection<uint>> ReadRunningAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyCollection<uint>>([]);

    /// <summary>Begins a snapshot that sees everything the binlog held before.</summary>
    private static async Task BeginSnapshotAsync(MySqlConnection connection, CancellationToken cancellationToken)
    {
        var wanted = await BinlogPosition.ReadAsync(connection, cancellationToken)
            ?? throw new FaultException(FaultKind.Configuration, "binlog", "The source writes no binlog", "Set log_bin and restart the server");
        await ExecuteAsync(connection, "set session transaction isolation level repeatable read", cancellationToken);
        for (var look = 0; look < Looks; look++)
        {
            await ExecuteAsync(connection, "start transaction with consistent snapshot, read only", cancellationToken);
            if (await SnapshotPositionAsync(connection, cancellationToken) is { } seen && seen.Value >= wanted.Value)
            {
                return;
            }

            await ExecuteAsync(connection, "rollback", cancellationToken);
            await Task.Delay(LookAgain, TimeProvider.System, cancellationToken);
        }

        throw new FaultException(FaultKind.Transient, "source-not-visible", "A transaction that is in the binlog already is not yet visible in the source",
            "It is retried; does a semi-synchronous replica of the source not answer?");
    }

    private static async Task<BinlogPosition?> SnapshotPositionAsync(MySqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new MySqlCommand("show status where variable_name in ('binlog_snapshot_file', 'binlog_snapshot_position')", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var (file, place) = ("", 0UL);
        while (await reader.ReadAsync(cancellationToken))
        {
            if (reader.GetString(0).EndsWith("file", StringComparison.OrdinalIgnoreCase))
            {
                file = reader.GetString(1);
            }
            else
            {
                place = ulong.Parse(reader.GetString(1), System.Globalization.CultureInfo.InvariantCulture);
            }
        }

        return file.Length == 0 ? null : BinlogPosition.Of(file, place);
    }

    private static async Task QueryAsync(
        MySqlConnection connection,
        TableRoute route,
        SourceValue[] key,
        SourceValue[] values,
        IEnumerable<string[]> keys,
        string locking,
        Dictionary<string, string?[]> rows,
        CancellationToken cancellationToken)
    {
        // Literals, so that each is compared as its column's type and finds the index.
        var asked = new Dictionary<string, string[]>(StringComparer.Ordinal);
        var predicates = keys.Select(one =>
        {
            asked[Identity(key, one)] = one;
            return string.Join(" and ", key.Select((column, i) => $"t.{MariaDbConnections.Quote(column.Column.Name)} = {column.Literal(one[i])}"));
        });
        await using var command = new MySqlCommand(
            $"select {string.Join(", ", key.Concat(values).Select(value => value.Sql))} from {MariaDbConnections.Sql(route.Source)} t where ({string.Join(") or (", predicates)}){locking}", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var found = Identity(key, [.. key.Select((column, i) => column.Read(reader, i) ?? "")]);
            if (asked.TryGetValue(found, out var one))
            {
                rows[found] = Values(reader, values, key.Length, one);
            }
            else if (!key.Any(column => column.Column.IsText))
            {
                // Under a collation another spelling is another row's key; a number that was asked for and comes back as another is a defect here.
                throw new FaultException(FaultKind.Internal, "key-text", $"A key of {route.Source} reads differently in the source than in its event", "Report it with the table's definition");
            }
        }
    }

    private static string?[] Values(MySqlDataReader reader, SourceValue[] values, int first, string[] key)
    {
        try
        {
            return [.. values.Select((value, i) => value.Read(reader, first + i))];
        }
        catch (FaultException exception)
        {
            throw new SourceValueException(key, exception.Fault);
        }
    }

    /// <summary>A key as one text.</summary>
    private static string Identity(SourceValue[] key, string[] texts) => string.Join('\0', key.Select((column, i) => column.Comparable(texts[i])));

    private static SourceValue Value(SourceTable table, TableRoute route, int ordinal)
    {
        var name = route.SourceColumns[ordinal];
        return new SourceValue(
            table.Find(name) ?? throw new FaultException(FaultKind.Configuration, "missing-column", $"The source's {route.Source} has no column {name}",
                "Compare the table's schema on both sides with 'cdcm preflight'"),
            route.Target.Columns[ordinal],
            route.MappingOf(ordinal),
            route.Source);
    }

    private async Task<SourceTable> TableAsync(MySqlConnection connection, TableRoute route, CancellationToken cancellationToken)
    {
        if (!tables.TryGetValue(route.Source, out var table))
        {
            table = await SourceCatalog.FindAsync(connection, route.Source, cancellationToken)
                ?? throw new FaultException(FaultKind.Configuration, "missing-table", $"The source has no table {route.Source}", "Correct 'tables:' in the migration file");
            tables[route.Source] = table;
        }

        return table;
    }

    private static async Task ExecuteAsync(MySqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new MySqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
