using CdcMigrator.Connect;
using CdcMigrator.Connect.Rest;
using CdcMigrator.Connect.Templates;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Control;
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
    private volatile ConnectorProgress? progress;

    /// <summary>What the connector's snapshots do; null before it was asked.</summary>
    public ConnectorProgress? Progress => progress;

    /// <summary>What is and was copied.</summary>
    public Task<IReadOnlyList<ResyncState>> ReadAsync(CancellationToken cancellationToken) => parts.Store.ReadAsync(cancellationToken);

    /// <summary>Asks for tables to be copied. All tables together also put a log that lost changes back into use.</summary>
    /// <param name="tables">Source tables, all of the migration.</param>
    /// <param name="cancellationToken">Gives up; may be repeated.</param>
    /// <exception cref="FaultException">NotAllowed: the log cannot copy a table. Configuration: the connector listens to no signals.</exception>
    public async Task RequestAsync(IReadOnlyCollection<TableName> tables, CancellationToken cancellationToken)
    {
        if (parts is not { Connect: { } connect, Section: { } section, Source: { } source, Schemas: { } schemas })
        {
            throw new FaultException(FaultKind.NotAllowed, "no-resync", "Tables can be copied again only by a PostgreSQL connector that the migration file names under 'connect:'",
                "With the embedded log, or without it: 'Starting over' in docs/cli.md");
        }

        var settings = await connect.GetConfigAsync(section.Connector, cancellationToken);
        if (settings.GetValueOrDefault("signal.data.collection", "") != ConnectorNames.SignalTable.ToString())
        {
            throw new FaultException(FaultKind.Configuration, "no-signal-table", $"Connector {section.Connector} does not listen to {ConnectorNames.SignalTable} (signal.data.collection)",
                "Run 'cdcm connector register -f FILE' once, then ask again");
        }

        await ControlSchema.PrepareSourceAsync(source, cancellationToken);

        // Durable first: a process that dies behind this line leaves what is to be done.
        await parts.Store.RequestAsync(tables, cancellationToken);
        foreach (var table in tables)
        {
            await schemas.AcceptAsync(table, cancellationToken);
        }

        if (parts.Mappings.All(mapping => tables.Contains(mapping.Source)))
        {
            await parts.Pulses.AcceptAsync(cancellationToken);
        }
    }

    /// <summary>One turn: a step of each table that is being copied. Never throws but for cancellation.</summary>
    public async Task TurnAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (parts is not { Connect: { } connect, Section: { } section, Source: { } source })
            {
                return;
            }

            progress = ConnectorProgress.Of(await connect.GetOffsetsAsync(section.Connector, cancellationToken));
            if (!(await parts.Store.ReadAsync(cancellationToken)).Any(state => state.IsActive))
            {
                return;
            }

            await using var turn = await parts.Control.OpenConnectionAsync(cancellationToken);
            if (!await IsOursAsync(turn, cancellationToken))
            {
                return;
            }

            foreach (var state in (await parts.Store.ReadAsync(cancellationToken)).Where(state => state.IsActive))
            {
                await StepAsync(state, connect, section, source, cancellationToken);
            }
        }
        catch (Exception exception) when (exception is FaultException or NpgsqlException)
        {
            RuntimeLog.SampleFailed(log, "resync", exception is FaultException known ? known.Fault : Postgres.Faults.PostgresFaults.Classify(exception));
        }
    }

    private async Task StepAsync(ResyncState state, ConnectClient connect, ConnectSection section, NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        var mapping = parts.Mappings.FirstOrDefault(mapping => mapping.Source.ToString() == state.Table);
        if (mapping is null || parts.Routes()?.Find(mapping.Source) is not { } route)
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
            case "copying" when await IsCopiedAsync(state, connect, section, source, cancellationToken):
                await MarkAsync(state, "removing", source, cancellationToken);
                break;
            case "removing" when (await parts.Drain(state.Marker!, state.MarkerLsn, ProofTimeout, cancellationToken)).Drained:
                var removed = await parts.Surplus!.RemoveAsync(route, cancellationToken);
                await parts.Store.MoveAsync(state, "done", null, 0, removed, null, cancellationToken);
                break;
        }
    }

    /// <summary>
    /// The connector works signals off in order with its changes. So once the slot has passed a marker written behind the signal, its offsets,
    /// which are stored before the slot is told, name the signal as long as its tables are being copied.
    /// </summary>
    private async Task<bool> IsCopiedAsync(ResyncState state, ConnectClient connect, ConnectSection section, NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        if (await SlotState.ReadAsync(source, parts.Slot, cancellationToken) is not { } slot || slot.ConfirmedFlushLsn < state.MarkerLsn)
        {
            return false;
        }

        var now = ConnectorProgress.Of(await connect.GetOffsetsAsync(section.Connector, cancellationToken));
        progress = now;
        return now is { Initial: false, SignalId: null } || (now.SignalId != state.SignalId && !now.Collections.Contains($"\"{state.Table}\"", StringComparison.Ordinal));
    }

    private async Task MarkAsync(ResyncState state, string phase, NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        var marker = await FenceTable.WriteMarkerAsync(source, cancellationToken);
        await parts.Store.MoveAsync(state, phase, marker.Id, marker.Lsn, state.Removed, null, cancellationToken);
    }

    private async Task<bool> IsOursAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select pg_try_advisory_lock(hashtextextended('cdcm resync ' || $1, 0))", connection);
        command.Parameters.Add(new NpgsqlParameter { Value = parts.Migration });
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }
}
