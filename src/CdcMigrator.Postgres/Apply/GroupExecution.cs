using System.Text;
using CdcMigrator.Domain.Changes;
using Npgsql;
using NpgsqlTypes;

namespace CdcMigrator.Postgres.Apply;

/// <summary>Executes the groups of a net effect on one session. Does not begin or end transactions.</summary>
internal sealed class GroupExecution(ApplySession session, RoutePlans plans, Reselection reselection)
{
    /// <summary>From here on rows go by COPY: one parameter array a column costs a string a value.</summary>
    private const int CopyRows = 500;
    private const long CopyBytes = 1 << 20;

    /// <summary>Whether the groups are known to succeed or fail by themselves: then nothing need be looked at before the commit.</summary>
    public static bool IsDecidedByServer(IReadOnlyList<(RowGroup Group, GroupSql Sql)> groups) =>
        groups.All(group => !IsLarge(group.Group) && group.Group.Kind is not (WriteKind.Update or WriteKind.Truncate) && !group.Sql.AllMustBeAffected);

    /// <summary>Statements for the groups. Large groups get their staging tables: to be called outside a transaction unless <paramref name="copy"/> is off.</summary>
    public async Task<IReadOnlyList<(RowGroup Group, GroupSql Sql)>> PrepareAsync(IReadOnlyList<RowGroup> groups, bool copy, CancellationToken cancellationToken)
    {
        var prepared = new List<(RowGroup, GroupSql)>(groups.Count);
        foreach (var group in groups)
        {
            var sql = (await plans.GetAsync(session.Connection, group.Route, cancellationToken)).For(group);
            if (copy && IsLarge(group))
            {
                await session.EnsureStageAsync(sql, cancellationToken);
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
            var staged = copy && IsLarge(group);
            if (staged)
            {
                await FlushAsync(batch, pending, net, cancellationToken);
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

    private async Task StageAsync(NetEffect net, RowGroup group, GroupSql sql, CancellationToken cancellationToken)
    {
        var ordinals = group.Kind == WriteKind.Update;
        var columns = string.Join(", ", Enumerable.Range(0, sql.Columns.Length).Select(i => $"c{i}"));
        var writer = await session.Connection.BeginTextImportAsync(
            $"copy pg_temp.{session.StageOf(sql)} ({columns}{(ordinals ? ", n" : "")}) from stdin", cancellationToken);
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

    private static bool IsLarge(RowGroup group) => group.Rows.Count >= CopyRows || group.Bytes >= CopyBytes;

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
