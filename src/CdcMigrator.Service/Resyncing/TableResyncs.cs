using CdcMigrator.Connect.Templates;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Postgres.Faults;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Postgres.Resync;
using CdcMigrator.Service.Runtime;
using Npgsql;

namespace CdcMigrator.Service.Resyncing;

/// <summary>
/// Copies tables again while changes go on: the connector is told by a signal row and reads the table in chunks in between its changes; once
/// all of it is in the target, rows the source no longer has are removed. Every step is kept in the target and may be repeated;
/// any process goes on where another ended, one at a time.
/// </summary>
internal sealed class TableResyncs(TableResyncParts parts, ILogger log)
{
    private static readonly TimeSpan ProofTimeout = TimeSpan.FromSeconds(30);
    private const long StreamedPulses = 2;
    private volatile ConnectorProgress? progress;
    private volatile bool streams;

    /// <summary>Whether the connector's initial snapshot is still running; null while that is not known.</summary>
    public bool? IsInitial => progress is { } known ? known.Initial : streams ? false : null;

    /// <summary>What is and was copied.</summary>
    public Task<IReadOnlyList<ResyncState>> ReadAsync(CancellationToken cancellationToken) => parts.Store.ReadAsync(cancellationToken);

    /// <summary>Source tables that are being copied, by whomever the connector was asked for it.</summary>
    /// <exception cref="FaultException">The target does not say.</exception>
    public async Task<IReadOnlyList<string>> ReadActiveAsync(CancellationToken cancellationToken)
    {
        var names = parts.Definition.Tables.Select(mapping => mapping.Source.ToString()).ToHashSet(StringComparer.Ordinal);
        return [.. (await ReadAsync(cancellationToken)).Where(copy => copy.IsActive).Select(copy => copy.Table).Union(progress?.Collections.Where(names.Contains) ?? [])];
    }

    /// <summary>Source tables that are being copied; null where the target does not say.</summary>
    public async Task<IReadOnlyList<string>?> TryReadActiveAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await ReadActiveAsync(cancellationToken);
        }
        catch (FaultException)
        {
            return null;
        }
    }

    /// <summary>Asks for tables to be copied. All tables together also put a log that lost changes back into use.</summary>
    /// <param name="tables">Source tables, all of the migration.</param>
    /// <param name="cancellationToken">Gives up; may be repeated.</param>
    /// <exception cref="FaultException">NotAllowed: the log cannot copy a table, or dead letters are in the way. Configuration: the connector must be registered anew.</exception>
    public async Task RequestAsync(IReadOnlyCollection<TableName> tables, CancellationToken cancellationToken)
    {
        if (parts is not { Connect: { } connect, Definition.Connect: { } section, Source: { } source, Schemas: { } schemas })
        {
            throw new FaultException(FaultKind.NotAllowed, "no-resync", "Tables can be copied again only by a PostgreSQL connector that the migration file names under 'connect:'",
                "With the embedded log, or without it: 'Starting over' in docs/cli.md");
        }

        ResyncRules.Require(parts.Definition, tables, await connect.GetConfigAsync(section.Connector, cancellationToken), await parts.DeadLetters(cancellationToken));
        await ControlSchema.PrepareSourceAsync(source, cancellationToken);

        // Durable first: a process that dies behind this line leaves what is to be done.
        await parts.Store.RequestAsync(tables, "api", cancellationToken);
        foreach (var table in tables)
        {
            await schemas.AcceptAsync(table, cancellationToken);
        }

        if (parts.Definition.Tables.All(mapping => tables.Contains(mapping.Source)))
        {
            await parts.Pulses.AcceptAsync(cancellationToken);
        }
    }

    /// <summary>Refuses while a copy is unfinished. To be asked behind a drained log: what a copy brings may lie behind the ends that were taken.</summary>
    /// <exception cref="FaultException">NotAllowed <c>copy-unfinished</c>: a copy is running, or failed though its table is moved.</exception>
    public async Task RequireDoneAsync(CancellationToken cancellationToken)
    {
        var copies = await parts.Store.ReadAsync(cancellationToken);
        if (copies.FirstOrDefault(copy => copy.IsActive || (copy.Phase == "failed" && parts.Definition.Tables.Any(mapping => mapping.Source.ToString() == copy.Table))) is { } missing)
        {
            throw new FaultException(FaultKind.NotAllowed, "copy-unfinished", $"Table {missing.Table} is being copied again ({missing.Phase}): the log was drained, but rows of it may be missing in the target",
                $"Wait until 'cdcm tables show {missing.Table}' says that the copy is done, then ask again");
        }
    }

    /// <summary>Turn after turn, until cancelled.</summary>
    public async Task RunAsync(TimeSpan interval, TimeProvider time, CancellationToken stop)
    {
        while (true)
        {
            await TurnAsync(stop);
            await Task.Delay(interval, time, stop);
        }
    }

    /// <summary>One turn: a step of each table that is being copied. Never throws but for cancellation.</summary>
    private async Task TurnAsync(CancellationToken cancellationToken)
    {
        try
        {
            await LookAsync(cancellationToken);
            if (parts is not { Connect: not null, Source: { } source } || progress is null || !(await parts.Store.ReadAsync(cancellationToken)).Any(state => state.IsActive))
            {
                return;
            }

            await using var turn = await parts.Control.OpenConnectionAsync(cancellationToken);
            if (!await IsOursAsync(turn, cancellationToken))
            {
                return;
            }

            try
            {
                foreach (var state in (await parts.Store.ReadAsync(cancellationToken)).Where(state => state.IsActive))
                {
                    await TryStepAsync(state, source, cancellationToken);
                }
            }
            finally
            {
                // The pool keeps the session as it is, and may give another one to the next turn.
                await GiveBackAsync(turn);
            }
        }
        catch (Exception exception) when (exception is FaultException || PostgresFaults.IsOfServer(exception))
        {
            RuntimeLog.SampleFailed(log, "resync", PostgresFaults.Classify(exception));
        }
    }

    /// <summary>
    /// Asks what the connector's snapshots do. Where Connect cannot tell, the log does: a second pulse is written only once the first was met, and what is written while the
    /// initial snapshot runs is met behind it.
    /// </summary>
    private async Task LookAsync(CancellationToken cancellationToken)
    {
        if (parts.Definition.Log.Kind == LogKind.Kafka && !streams)
        {
            streams = await parts.Pulses.ReadAsync(cancellationToken) is { Seen: >= StreamedPulses };
        }

        if (parts is { Connect: { } connect, Definition.Connect: { } section })
        {
            progress = ConnectorProgress.Of(await connect.GetOffsetsAsync(section.Connector, cancellationToken), parts.Definition.Log.TopicPrefix);
        }
    }

    private async Task TryStepAsync(ResyncState state, NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        try
        {
            await StepAsync(state, source, cancellationToken);
        }
        catch (FaultException exception)
        {
            RuntimeLog.SampleFailed(log, "resync", exception.Fault);
            await parts.Store.NoteAsync(state, exception.Fault.Message, cancellationToken);
        }
    }

    private async Task StepAsync(ResyncState state, NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        if (parts.Definition.Tables.FirstOrDefault(mapping => mapping.Source.ToString() == state.Table) is not { } mapping)
        {
            await parts.Store.MoveAsync(state, "failed", null, 0, state.Removed, "the table is no longer in the migration file", cancellationToken);
            return;
        }

        switch (state.Phase)
        {
            case "requested":
                await ResyncStore.SignalAsync(source, state, ConnectorTemplate.Pattern(mapping.Source), cancellationToken);
                await MarkAsync(state, "copying", source, cancellationToken);
                break;
            case "copying" when progress!.HasCopied(mapping.Source, state.SignalId, state.MarkerLsn):
                await MarkAsync(state, "removing", source, cancellationToken);
                break;
            case "removing" when await IsAppliedAsync(state, mapping, cancellationToken) && parts.Routes()?.Find(mapping.Source) is { } route:
                var removed = await parts.Surplus!.RemoveAsync(route, cancellationToken);
                await parts.Store.MoveAsync(state, "done", null, 0, removed, null, cancellationToken);
                break;
        }
    }

    /// <summary>
    /// Whether every copied row is in the target. A row whose earlier change was parked meanwhile is parked too: it must be retried, and where it was given
    /// up, the table is copied once more.
    /// </summary>
    private async Task<bool> IsAppliedAsync(ResyncState state, TableMapping mapping, CancellationToken cancellationToken)
    {
        // Dead letters of other tables keep a migration from being drained, not a table from being copied: they are counted once all lanes are past the marker.
        if (await HasDeadLettersAsync(state, cancellationToken)
            || (await parts.Drain(state.Marker!, state.MarkerLsn, ProofTimeout, cancellationToken)).DeadLetters is null || await HasDeadLettersAsync(state, cancellationToken))
        {
            return false;
        }

        if (await parts.Store.HasDiscardedAsync(state, cancellationToken))
        {
            await parts.Store.RequestAsync([mapping.Source], "resync", cancellationToken);
            return false;
        }

        return true;
    }

    private async Task<bool> HasDeadLettersAsync(ResyncState state, CancellationToken cancellationToken)
    {
        if ((await parts.DeadLetters(cancellationToken)).GetValueOrDefault(state.Table) is not (> 0 and var letters))
        {
            return false;
        }

        await parts.Store.NoteAsync(state, $"waits for {letters} dead letters of the table: 'cdcm dlq retry --table {state.Table}'", cancellationToken);
        return true;
    }

    private async Task MarkAsync(ResyncState state, string phase, NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        var marker = await FenceTable.WriteMarkerAsync(source, cancellationToken);
        await parts.Store.MoveAsync(state, phase, marker.Id, marker.Lsn, state.Removed, null, cancellationToken);
    }

    private async Task GiveBackAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand("select pg_advisory_unlock(hashtextextended('cdcm resync ' || $1, 0))", connection);
        command.Parameters.Add(new NpgsqlParameter { Value = parts.Definition.Name });
        await command.ExecuteNonQueryAsync(CancellationToken.None);
    }

    private async Task<bool> IsOursAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select pg_try_advisory_lock(hashtextextended('cdcm resync ' || $1, 0))", connection);
        command.Parameters.Add(new NpgsqlParameter { Value = parts.Definition.Name });
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }
}
