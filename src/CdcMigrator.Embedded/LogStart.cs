using System.Text;
using System.Text.RegularExpressions;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded.Publishing;
using CdcMigrator.Embedded.Replication;
using CdcMigrator.Embedded.State;
using CdcMigrator.Postgres.Control;
using Microsoft.Extensions.Logging;
using Npgsql;
using Npgsql.Replication;

namespace CdcMigrator.Embedded;

/// <summary>
/// What a life begins with. The state row is written before the slot is made, so a slot without a row is not ours, and the
/// target's tables were seen empty before the row said <c>snapshot</c>, so in that phase all their rows are.
/// </summary>
/// <param name="State">The row, owned by this life.</param>
/// <param name="Tables">Captured tables, the fence's last.</param>
/// <param name="Catalog">The source's catalog.</param>
/// <param name="Database">The source's database.</param>
internal sealed partial record LogStart(LogState State, IReadOnlyList<SourceTable> Tables, SourceCatalog Catalog, string Database)
{
    /// <summary>Takes the lock, checks both sides and brings the row to where the phase begins.</summary>
    public static async Task<LogStart> PrepareAsync(
        EmbeddedLogOptions options, LogStateStore store, string incarnation, ILogger logger, CancellationToken cancellationToken)
    {
        await using (var target = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(options.TargetConnection) { Pooling = false }))
        {
            await ControlSchema.MigrateAsync(target, cancellationToken);
        }

        var found = await store.OpenAsync(cancellationToken);
        var slot = found?.Slot ?? SlotOf(options);
        try
        {
            await using (var unpooled = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(options.SourceConnection) { Pooling = false }))
            {
                await ControlSchema.PrepareSourceAsync(unpooled, cancellationToken);
            }

            var catalog = new SourceCatalog(options, slot);
            await using var source = await SourceSession.OpenAsync(options.SourceConnection, "embedded log", cancellationToken);
            var database = await SourceCatalog.CheckAsync(source, cancellationToken);
            IReadOnlyList<TableName> names = [.. options.Tables.Select(table => table.Source).Where(name => name != options.FenceTable), options.FenceTable];
            var tables = await catalog.ReadTablesAsync(source, names, cancellationToken);
            var system = await IdentifyAsync(options, cancellationToken);
            var state = new LogState
            {
                Phase = found?.Phase ?? (options.Start == EmbeddedLogStart.Passive ? EmbeddedLogPhase.Passive : EmbeddedLogPhase.Snapshot),
                Incarnation = incarnation,
                Slot = slot,
                SystemIdentifier = system.SystemId,
                Timeline = system.Timeline,
                Tables = [.. options.Tables.Select(Recorded)],
                ConfirmedLsn = found?.ConfirmedLsn ?? 0,
                ActiveFrom = found?.ActiveFrom ?? 0,
            };
            if (found is null)
            {
                await BeginAsync(options, store, catalog, source, state, tables, cancellationToken);
            }
            else
            {
                await ResumeAsync(options, store, catalog, source, found, state, tables, logger, cancellationToken);
            }

            return new LogStart(state, tables, catalog, database);
        }
        catch (Exception exception) when (exception is NpgsqlException or IOException or TimeoutException or System.Net.Sockets.SocketException)
        {
            throw new FaultException(SourceFaults.Of(exception, slot), exception);
        }
    }

    /// <summary>Drops slot and publication.</summary>
    public static async Task DropSourceSideAsync(EmbeddedLogOptions options, string? recordedSlot, CancellationToken cancellationToken)
    {
        var slot = recordedSlot ?? SlotOf(options);
        try
        {
            var catalog = new SourceCatalog(options, slot);
            await using var source = await SourceSession.OpenAsync(options.SourceConnection, "embedded log", cancellationToken);
            await catalog.DropSlotAsync(source, cancellationToken);
            await catalog.DropPublicationAsync(source, cancellationToken);
        }
        catch (Exception exception) when (exception is NpgsqlException or IOException or TimeoutException or System.Net.Sockets.SocketException)
        {
            var fault = SourceFaults.Of(exception, slot);
            throw new FaultException(fault.Code == "slot-in-use" ? fault with { Kind = FaultKind.NotAllowed } : fault, exception);
        }
    }

    /// <summary>Slot and publication: <c>cdcm_</c> and the migration's name. Slots know small letters, digits and <c>_</c> only; other names get a hash, so that no two share one.</summary>
    internal static string SlotOf(EmbeddedLogOptions options)
    {
        if (options.SlotName is { } given)
        {
            return given;
        }

        var plain = NotAllowedInSlots().Replace(options.Migration.ToLowerInvariant(), "_");
        return plain == options.Migration
            ? $"cdcm_{plain}"
            : $"cdcm_{plain}_{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(options.Migration)))[..8]}";
    }

    private static async Task BeginAsync(
        EmbeddedLogOptions options, LogStateStore store, SourceCatalog catalog, NpgsqlConnection source, LogState state,
        IReadOnlyList<SourceTable> tables, CancellationToken cancellationToken)
    {
        if (await catalog.ReadSlotAsync(source, cancellationToken) is not null)
        {
            throw new FaultException(FaultKind.Configuration, "slot-exists",
                $"Replication slot {state.Slot} exists, but this target does not know of it: it may feed another target",
                $"If nothing needs it, run \"select pg_drop_replication_slot('{state.Slot}')\" on the source");
        }

        IReadOnlyList<TableName> mustBeEmpty = state.Phase == EmbeddedLogPhase.Snapshot ? [.. options.Tables.Select(table => table.Target)] : [];
        await store.CreateAsync(state, mustBeEmpty, cancellationToken);
        await catalog.EnsurePublicationAsync(source, tables, cancellationToken);
    }

    private static async Task ResumeAsync(
        EmbeddedLogOptions options, LogStateStore store, SourceCatalog catalog, NpgsqlConnection source, LogState found, LogState state,
        IReadOnlyList<SourceTable> tables, ILogger logger, CancellationToken cancellationToken)
    {
        var added = options.Tables.Where(table => !found.Tables.Contains(Recorded(table))).ToList();
        switch (found.Phase)
        {
            case EmbeddedLogPhase.Snapshot:
                logger.LogSnapshotRestart(options.Migration);
                await store.RestartSnapshotAsync(state,
                    [.. options.Tables.Except(added).Select(table => table.Target)], [.. added.Select(table => table.Target)], shutLanesOut: true, cancellationToken);
                await catalog.EnsurePublicationAsync(source, tables, cancellationToken);
                break;
            case EmbeddedLogPhase.Streaming:
                if (added.Count > 0)
                {
                    throw new FaultException(new Fault(FaultKind.Configuration, "tables-added",
                        $"Table {added[0].Source} was not part of migration {options.Migration} when its rows were copied",
                        "Move added tables in a migration of their own")
                    { Table = added[0].Source.ToString() });
                }

                SourceLineage.Check(found, state.SystemIdentifier, state.Timeline);
                SourceLineage.CheckSlot(found.Slot, await catalog.ReadSlotAsync(source, cancellationToken), found.ConfirmedLsn);
                await catalog.CheckPublicationAsync(source, tables, cancellationToken);
                await store.TakeOverAsync(state, cancellationToken);
                break;
            default:
                if (await catalog.EnsurePublicationAsync(source, tables, cancellationToken))
                {
                    // The slot may decode from before the publication had these tables. It owes nothing: a new one will do.
                    await catalog.DropSlotAsync(source, cancellationToken);
                }

                await store.TakeOverAsync(state, cancellationToken);
                break;
        }
    }

    private static async Task<ReplicationSystemIdentification> IdentifyAsync(EmbeddedLogOptions options, CancellationToken cancellationToken)
    {
        await using var session = new LogicalReplicationConnection(SourceSession.Pin(options.SourceConnection, "embedded log"));
        await session.Open(cancellationToken);
        return await session.IdentifySystem(cancellationToken);
    }

    private static string Recorded(TableMapping table) => $"{table.Source.Sql} -> {table.Target.Sql}";

    [GeneratedRegex("[^a-z0-9_]")]
    private static partial Regex NotAllowedInSlots();
}
