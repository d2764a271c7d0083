using System.Text;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Faults;
using Npgsql;
using NpgsqlTypes;

namespace CdcMigrator.Postgres.Apply;

/// <summary>Executes the groups of a net effect on one session. Does not begin or end transactions.</summary>
internal sealed class GroupExecution(ApplySession session, RoutePlans plans, Reselection reselection)
{
    /// <summary>The key's index is what refuses a row that is there already; the COPY's lock on the table keeps it as it is from then on.</summary>
    private const string KeyIsUnique = """
        select exists (select from pg_catalog.pg_index i where i.indrelid = pg_catalog.to_regclass($1) and i.indisunique and i.indisvalid and i.indisready and i.indimmediate
            and i.indpred is null and i.indexprs is null and $2::text[] = array(select a.attname::text from pg_catalog.pg_attribute a
                where a.attrelid = i.indrelid and a.attnum = any ((i.indkey::int2[])[0:i.indnkeyatts - 1]) order by a.attname::text collate pg_catalog."C"))
        """;

    /// <summary>Whether the groups are known to succeed or fail by themselves: then nothing need be looked at before the commit.</summary>
    public static bool IsDecidedByServer(IReadOnlyList<(RowGroup Group, GroupSql Sql)> groups) =>
        groups.All(group => !group.Group.IsLarge && group.Group.Kind is not (WriteKind.Update or WriteKind.Truncate) && !group.Sql.AllMustBeAffected);

    /// <summary>Statements for the groups. Large groups get their staging tables: to be called outside a transaction unless <paramref name="copy"/> is off.</summary>
    public async Task<IReadOnlyList<(RowGroup Group, GroupSql Sql)>> PrepareAsync(IReadOnlyList<RowGroup> groups, bool copy, CancellationToken cancellationToken)
    {
        var prepared = new List<(RowGroup, GroupSql)>(groups.Count);
        foreach (var group in groups)
        {
            var sql = (await plans.GetAsync(session.Connection, group.Route, cancellationToken)).For(group);
            if (copy && group.IsLarge && !(IsForTable(group) && sql.DirectCopy.MayBeTried))
            {
                await session.EnsureStageAsync(sql, withinTransaction: false, cancellationToken);
            }

            prepared.Add((group, sql));
        }

        return prepared;
    }

    /// <summary>The guarded move and small groups in one round trip; without a surrounding transaction they are one by themselves.</summary>
    public async Task ExecuteInOneTripAsync(NpgsqlBatchCommand move, NetEffect net, IReadOnlyList<(RowGroup Group, GroupSql Sql)> groups, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(session.Connection);
        batch.BatchCommands.Add(move);
        foreach (var (group, sql) in groups)
        {
            batch.BatchCommands.Add(FromArrays(net, group, sql.FromArrays, sql.Columns));
        }

        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Executes within the open transaction, in order, looking at what each group did.</summary>
    /// <param name="move">First statement; null where the transaction has it already.</param>
    /// <param name="net">Where the rows are.</param>
    /// <param name="groups">What to execute.</param>
    /// <param name="copy">Whether staging tables may be used.</param>
    /// <param name="cancellationToken">Stops the statement.</param>
    public async Task ExecuteAsync(
        NpgsqlBatchCommand? move, NetEffect net, IReadOnlyList<(RowGroup Group, GroupSql Sql)> groups, bool copy, CancellationToken cancellationToken)
    {
        var batch = new NpgsqlBatch(session.Connection);
        var pending = new List<(NpgsqlBatchCommand Command, RowGroup Group, GroupSql Sql, bool Staged)>();
        if (move is not null)
        {
            batch.BatchCommands.Add(move);
        }

        foreach (var (group, sql) in groups)
        {
            var staged = copy && group.IsLarge;
            if (staged && IsForTable(group) && sql.DirectCopy.IsWorthATry())
            {
                batch.BatchCommands.Add(new NpgsqlBatchCommand("savepoint direct"));
                await FlushAsync(batch, pending, net, cancellationToken);
                if (await TryCopyAsync(net, group, sql, cancellationToken))
                {
                    continue;
                }
            }

            if (staged)
            {
                await FlushAsync(batch, pending, net, cancellationToken);
                await session.EnsureStageAsync(sql, withinTransaction: true, cancellationToken);
                await StageAsync(net, group, sql, cancellationToken);
            }

            if (group.Kind == WriteKind.Truncate)
            {
                // As large as the table is: it must not fail for its duration time and again.
                batch.BatchCommands.Add(new NpgsqlBatchCommand("select pg_catalog.set_config('statement_timeout', '0', true)"));
            }

            var command = staged
                ? new NpgsqlBatchCommand(GroupSql.Named(sql.FromStage, session.StageOf(sql)))
                : FromArrays(net, group, sql.FromArrays, sql.Columns);
            if (command.CommandText.Length > 0)
            {
                batch.BatchCommands.Add(command);
            }

            pending.Add((command, group, sql, staged));
        }

        await FlushAsync(batch, pending, net, cancellationToken);
        await batch.DisposeAsync();
    }

    private async Task FlushAsync(
        NpgsqlBatch batch, List<(NpgsqlBatchCommand Command, RowGroup Group, GroupSql Sql, bool Staged)> pending, NetEffect net, CancellationToken cancellationToken)
    {
        if (batch.BatchCommands.Count > 0)
        {
            await batch.ExecuteNonQueryAsync(cancellationToken);
            batch.BatchCommands.Clear();
        }

        foreach (var (command, group, sql, staged) in pending)
        {
            var affected = command.CommandText.Length == 0 ? 0 : (long)command.RecordsAffected;
            if (affected == group.Rows.Count)
            {
                continue;
            }

            if (sql.AllMustBeAffected)
            {
                throw new RowConflictException($"a key of {group.Route.Target.Name} is taken by a row whose key is equal in another spelling");
            }

            if (group.Kind == WriteKind.Update)
            {
                await InsertMissingAsync(net, group, sql, staged, cancellationToken);
            }
        }

        pending.Clear();
    }

    /// <summary>Rows an update did not find: completed from the source, and inserted.</summary>
    private async Task InsertMissingAsync(NetEffect net, RowGroup group, GroupSql sql, bool staged, CancellationToken cancellationToken)
    {
        var missing = new List<int>();
        await using (var batch = new NpgsqlBatch(session.Connection))
        {
            var keys = group.Route.Key.Columns;
            batch.BatchCommands.Add(staged
                ? new NpgsqlBatchCommand(GroupSql.Named(sql.MissingFromStage, session.StageOf(sql)))
                : FromArrays(net, group, sql.MissingFromArrays, keys));
            await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                missing.Add(group.Rows[reader.GetInt32(0) - 1]);
            }
        }

        if (missing.Count == 0)
        {
            return;
        }

        await reselection.CompleteAsync(net, missing, whole: false, cancellationToken);
        var inserts = net.GroupUpserts(missing);
        await ExecuteAsync(null, net, await PrepareAsync(inserts, copy: false, cancellationToken), copy: false, cancellationToken);
    }

    /// <summary>
    /// Copies rows that should be new straight into the table, under the savepoint set before. Where one of them is there already, or whatever else is wrong,
    /// nothing of it stays, and the staged way says what there is to say.
    /// </summary>
    private async Task<bool> TryCopyAsync(NetEffect net, RowGroup group, GroupSql sql, CancellationToken cancellationToken)
    {
        try
        {
            await CopyAsync(net, group, sql.CopyDirect, ordinals: false, cancellationToken);
            if (await KeyIsUniqueAsync(group.Route, cancellationToken))
            {
                sql.DirectCopy.Succeeded();
                await ExecuteAsync("release savepoint direct", cancellationToken);
                return true;
            }
        }
        catch (PostgresException error) when (PostgresFaults.IsRowError(error))
        {
            // Told by the staged way, if it is still so there.
        }

        sql.DirectCopy.Failed();
        await ExecuteAsync("rollback to savepoint direct; release savepoint direct", cancellationToken);
        return false;
    }

    private static bool IsForTable(RowGroup group) => group.Fresh && group.Kind == WriteKind.Upsert;

    private async Task<bool> KeyIsUniqueAsync(TableRoute route, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(KeyIsUnique, session.Connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = route.Target.Name.Sql });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. route.Key.Columns.Select(column => route.Target.Columns[column].Name).Order(StringComparer.Ordinal)] });
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, session.Connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private Task StageAsync(NetEffect net, RowGroup group, GroupSql sql, CancellationToken cancellationToken)
    {
        var ordinals = group.Kind == WriteKind.Update;
        var columns = string.Join(", ", Enumerable.Range(0, sql.Columns.Length).Select(i => $"c{i}"));
        return CopyAsync(net, group, $"copy pg_temp.{session.StageOf(sql)} ({columns}{(ordinals ? ", n" : "")}) from stdin", ordinals, cancellationToken);
    }

    private async Task CopyAsync(NetEffect net, RowGroup group, string copy, bool ordinals, CancellationToken cancellationToken)
    {
        var writer = await session.Connection.BeginTextImportAsync(copy, cancellationToken);
        try
        {
            await CopyText.WriteAsync(net, group, ordinals, ((StreamWriter)writer).BaseStream, cancellationToken);
        }
        catch
        {
            await writer.CancelAsync();
            throw;
        }

        await writer.DisposeAsync();
    }

    private static NpgsqlBatchCommand FromArrays(NetEffect net, RowGroup group, string text, IReadOnlyList<int> columns)
    {
        var command = new NpgsqlBatchCommand(text);
        if (text.Length == 0)
        {
            return command;
        }

        foreach (var column in columns)
        {
            var values = new string?[group.Rows.Count];
            for (var n = 0; n < values.Length; n++)
            {
                var slot = net.Slots(net.Rows[group.Rows[n]])[column];
                values[n] = slot.State == ColumnState.Value ? Encoding.UTF8.GetString(net.Batch.Value(slot)) : null;
            }

            command.Parameters.Add(new NpgsqlParameter<string?[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
        }

        return command;
    }
}
