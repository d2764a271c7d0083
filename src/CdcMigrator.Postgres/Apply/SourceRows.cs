using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Faults;
using Npgsql;
using NpgsqlTypes;

namespace CdcMigrator.Postgres.Apply;

/// <summary>
/// Reads rows of a PostgreSQL source by key, as text. Needs the primary: a standby may not have the change yet, and its snapshots do not name who writes, so that each read asks
/// whether it is one (an address that stands for several servers may lead there at any time). Thread-safe.
/// </summary>
/// <param name="source">Sessions from <see cref="Connections.PostgresConnections.CreateSourceRead"/>.</param>
/// <param name="time">Clock of the waits for a transaction to become visible.</param>
public sealed class SourceRows(NpgsqlDataSource source, TimeProvider time) : ISourceRows
{
    /// <summary>By its name of before PostgreSQL 13, which the newer ones know too.</summary>
    private const string Snapshot = "select pg_catalog.txid_current_snapshot()::text, pg_catalog.pg_is_in_recovery()";

    /// <summary>
    /// The snapshot, and the next id to be given: what the snapshot says ends with the last transaction that ended, and younger ones may run. Transactions
    /// of other databases of the server are none of this log's; where the role may not see whose they are they count.
    /// </summary>
    private const string SnapshotHere = """
        select pg_catalog.txid_current_snapshot()::text, pg_catalog.age('3'::xid),
            array(select backend_xid::text from pg_catalog.pg_stat_activity where datname <> pg_catalog.current_database() and backend_xid is not null
                union all select transaction::text from pg_catalog.pg_prepared_xacts where database <> pg_catalog.current_database()), pg_catalog.pg_is_in_recovery()
        """;

    /// <summary>
    /// Transactions that hold a lock of the table as writers do, which they give back only once they are visible. One that its client has left open has
    /// not begun to commit, so that nothing of it is in the log; who may not see that of a session waits for it.
    /// </summary>
    private const string Writers = """
        with recursive part(oid) as (
            select pg_catalog.to_regclass($1)::oid union select i.inhrelid from part join pg_catalog.pg_inherits i on i.inhparent = part.oid)
        select pg_catalog.pg_is_in_recovery(), array(select distinct x.transactionid::text
        from pg_catalog.pg_locks r join pg_catalog.pg_locks x on x.virtualtransaction = r.virtualtransaction and x.locktype = 'transactionid' and x.mode = 'ExclusiveLock' and x.granted
        left join pg_catalog.pg_stat_activity a on a.pid = r.pid
        where r.locktype = 'relation' and r.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()) and r.granted
            and r.relation in (select oid from part) and r.mode in ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
            and coalesce(a.state, '') not in ('idle in transaction', 'idle in transaction (aborted)'))
        """;

    private const int Looks = 200;
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(25);

    private const string KeyColumns = """
        select a.attname::text, pg_catalog.format_type(t.oid, -1), pg_catalog.format_type(a.atttypid, a.atttypmod),
            coalesce((select pg_catalog.format('operator(%I.%s)', n.nspname, o.oprname)
                from pg_catalog.pg_opclass c join pg_catalog.pg_am am on am.oid = c.opcmethod and am.amname = 'btree'
                join pg_catalog.pg_amop m on m.amopfamily = c.opcfamily and m.amopstrategy = 3 and m.amoplefttype = c.opcintype and m.amoprighttype = c.opcintype
                join pg_catalog.pg_operator o on o.oid = m.amopopr join pg_catalog.pg_namespace n on n.oid = o.oprnamespace
                where c.opcintype = t.oid and c.opcdefault), 'operator(pg_catalog.=)'),
            coalesce((select l.collisdeterministic from pg_catalog.pg_collation l where l.oid = a.attcollation), true), t.typname::text
        from pg_catalog.pg_attribute a
        cross join lateral (
            with recursive b(oid, basetype, typname) as (
                select t.oid, t.typbasetype, t.typname from pg_catalog.pg_type t where t.oid = a.atttypid
                union all select t.oid, t.typbasetype, t.typname from b join pg_catalog.pg_type t on t.oid = b.basetype)
            select b.oid, b.typname from b where b.basetype = 0) t
        where a.attrelid = pg_catalog.to_regclass($1) and a.attname = any($2) and not a.attisdropped
        """;

    private readonly ConcurrentDictionary<TableName, IReadOnlyDictionary<string, KeyColumn>> keyTypes = new();

    /// <inheritdoc />
    public async Task<IReadOnlyList<string?[]?>> ReadAsync(
        TableRoute route, IReadOnlyList<string[]> keys, IReadOnlyList<int> columns, IReadOnlyCollection<uint> transactions, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(route);
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(columns);
        ArgumentNullException.ThrowIfNull(transactions);
        try
        {
            await using var connection = await source.OpenConnectionAsync(cancellationToken);
            var types = await KeyTypesAsync(connection, route, cancellationToken);
            for (var look = 0; look < Looks; look++)
            {
                // One snapshot for both questions: whether the changes are in it, and what the rows are.
                await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellationToken);
                if (await SeesAsync(connection, transactions, cancellationToken))
                {
                    return await QueryAsync(connection, route, keys, columns, types, cancellationToken);
                }

                await transaction.RollbackAsync(cancellationToken);
                await Task.Delay(LookAgain, time, cancellationToken);
            }
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            keyTypes.TryRemove(route.Source, out _);
            throw Failed(route, exception);
        }

        throw NotVisible(route);
    }

    /// <inheritdoc />
    public async IAsyncEnumerable<string[]> ReadKeysAsync(
        TableRoute route, IReadOnlyCollection<uint> transactions, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(route);
        ArgumentNullException.ThrowIfNull(transactions);
        await using var connection = await Failing(() => source.OpenConnectionAsync(cancellationToken).AsTask(), route);
        for (var look = 0; look < Looks; look++)
        {
            await using var transaction = await Failing(() => connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellationToken).AsTask(), route);
            if (!await Failing(() => SeesAsync(connection, transactions, cancellationToken), route))
            {
                await Task.Delay(LookAgain, time, cancellationToken);
                continue;
            }

            var columns = route.Key.Columns.Select(column => $"t.{TableName.Quote(route.SourceColumns[column])}::text");
            await using var command = new NpgsqlCommand($"set local statement_timeout = 0; select {string.Join(", ", columns)} from {route.Source.Sql} as t", connection) { CommandTimeout = 0 };
            await using var reader = await Failing(() => command.ExecuteReaderAsync(cancellationToken), route);
            while (await Failing(() => reader.ReadAsync(cancellationToken), route))
            {
                yield return [.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetString)];
            }

            yield break;
        }

        throw NotVisible(route);
    }

    /// <inheritdoc />
    public async Task<IReadOnlyCollection<uint>> ReadRunningAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var command = source.CreateCommand(SnapshotHere);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            RefuseStandby(reader.GetBoolean(3));
            var elsewhere = reader.GetFieldValue<string[]>(2).Select(id => uint.Parse(id, CultureInfo.InvariantCulture));
            return [.. Begun(reader.GetString(0), unchecked((uint)reader.GetInt32(1) + 3)).Except(elsewhere)];
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }

    /// <inheritdoc />
    public async Task<IReadOnlyCollection<uint>> ReadWritersAsync(TableRoute route, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(route);
        try
        {
            await using var command = source.CreateCommand(Writers);
            command.Parameters.Add(new NpgsqlParameter { Value = route.Source.Sql });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            RefuseStandby(reader.GetBoolean(0));
            return [.. reader.GetFieldValue<string[]>(1).Select(id => (uint)ulong.Parse(id, CultureInfo.InvariantCulture))];
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw Failed(route, exception);
        }
    }

    private static async Task<T> Failing<T>(Func<Task<T>> read, TableRoute route)
    {
        try
        {
            return await read();
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw Failed(route, exception);
        }
    }

    private static FaultException Failed(TableRoute route, Exception exception)
    {
        var fault = PostgresFaults.Classify(exception);
        return new FaultException(fault with { Message = $"Reading {route.Source} in the source: {fault.Message}", Table = route.Source.ToString() }, exception);
    }

    private static FaultException NotVisible(TableRoute route) => new(FaultKind.Transient, "source-not-visible",
        $"A transaction of {route.Source} that is in the log already is not yet visible in the source", "It is retried; is a synchronous standby of the source down, or does a statement that writes the table take long?");

    private static void RefuseStandby(bool isStandby)
    {
        if (isStandby)
        {
            throw new FaultException(FaultKind.Transient, "source-is-standby",
                "The source is a standby: it may lack what is in the log already, and its snapshots do not say so, so that rows on their way there would be taken for deleted",
                "Let source.connection lead to the primary; where it names several hosts, add 'Target Session Attributes=primary'. It is retried");
        }
    }

    /// <summary>Whether a snapshot, as <c>xmin:xmax:xip,…</c>, sees all of these transaction ids modulo 2^32.</summary>
    internal static bool Sees(string snapshot, IReadOnlyCollection<uint> transactions)
    {
        var (xmax, running) = (Behind(snapshot), Running(snapshot));
        return transactions.All(transaction => (int)(transaction - xmax) < 0 && !running.Contains(transaction));
    }

    /// <summary>The transactions that had begun and that a snapshot does not see, given the next id when it was taken or later. Some may have been given to parts of one.</summary>
    internal static IEnumerable<uint> Begun(string snapshot, uint next)
    {
        var xmax = Behind(snapshot);
        return Running(snapshot).Concat(Enumerable.Range(0, Math.Max(0, unchecked((int)(next - xmax)))).Select(i => unchecked(xmax + (uint)i)));
    }

    private static uint Behind(string snapshot) => (uint)ulong.Parse(snapshot.Split(':')[1], CultureInfo.InvariantCulture);

    private static HashSet<uint> Running(string snapshot) =>
        [.. snapshot.Split(':')[2].Split(',', StringSplitOptions.RemoveEmptyEntries).Select(id => (uint)ulong.Parse(id, CultureInfo.InvariantCulture))];

    private static async Task<bool> SeesAsync(NpgsqlConnection connection, IReadOnlyCollection<uint> transactions, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Snapshot, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        RefuseStandby(reader.GetBoolean(1));
        return Sees(reader.GetString(0), transactions);
    }

    private static async Task<IReadOnlyList<string?[]?>> QueryAsync(
        NpgsqlConnection connection,
        TableRoute route,
        IReadOnlyList<string[]> keys,
        IReadOnlyList<int> columns,
        IReadOnlyDictionary<string, KeyColumn> types,
        CancellationToken cancellationToken)
    {
        var names = route.Key.Columns.Select(column => route.SourceColumns[column]).ToArray();
        var arrays = string.Join(", ", names.Select((_, i) => $"${i + 1}::text[]"));

        // The index finds the row by value; the text tells apart keys that are equal in another spelling.
        var join = string.Join(" and ", names.Select((name, i) => types[name] is var key && key.Exact
            ? $"t.{key.Sql} {key.Equality} k.k{i}::{key.Type}"
            : $"t.{key.Sql} {key.Equality} k.k{i}::{key.Type} and t.{key.Sql}::text collate pg_catalog.\"C\" = k.k{i}::{key.Declared}::text collate pg_catalog.\"C\""));
        var values = columns.Select(column => $"t.{TableName.Quote(route.SourceColumns[column])}::text");
        await using var command = new NpgsqlCommand($"""
            select {string.Join(", ", values.Prepend("k.n::int"))} from unnest({arrays}) with ordinality as k({string.Join(", ", names.Select((_, i) => $"k{i}"))}, n)
            join {route.Source.Sql} as t on {join}
            """, connection);
        for (var i = 0; i < names.Length; i++)
        {
            var part = i;
            command.Parameters.Add(new NpgsqlParameter { Value = keys.Select(key => key[part]).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
        }

        var rows = new string?[]?[keys.Count];
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var row = new string?[columns.Count];
            for (var i = 0; i < row.Length; i++)
            {
                row[i] = await reader.IsDBNullAsync(i + 1, cancellationToken) ? null : reader.GetString(i + 1);
            }

            rows[reader.GetInt32(0) - 1] = row;
        }

        return rows;
    }

    private async Task<IReadOnlyDictionary<string, KeyColumn>> KeyTypesAsync(NpgsqlConnection connection, TableRoute route, CancellationToken cancellationToken)
    {
        if (keyTypes.TryGetValue(route.Source, out var known))
        {
            return known;
        }

        var names = route.Key.Columns.Select(column => route.SourceColumns[column]).ToArray();
        await using var command = new NpgsqlCommand(KeyColumns, connection);
        command.Parameters.Add(new NpgsqlParameter { Value = route.Source.Sql });
        command.Parameters.Add(new NpgsqlParameter { Value = names });
        var types = new Dictionary<string, KeyColumn>(StringComparer.Ordinal);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var name = reader.GetString(0);

            // A numeric is found by its value: the target's text may have another scale, and a row that is there must not be taken for gone.
            var type = reader.GetString(5);
            types[name] = new KeyColumn(route.OrdinalOfSource(name), TableName.Quote(name), reader.GetString(1), reader.GetString(2), reader.GetString(3),
                type == "numeric" || KeyColumn.HasOneText(type, reader.GetBoolean(4)));
        }

        if (names.FirstOrDefault(name => !types.ContainsKey(name)) is { } missing)
        {
            throw new FaultException(FaultKind.Configuration, "missing-column", $"The source's {route.Source} has no column {missing}",
                "Compare the table's schema on both sides with 'cdcm preflight'");
        }

        return keyTypes[route.Source] = types;
    }
}
