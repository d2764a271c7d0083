using CdcMigrator.Connect;
using CdcMigrator.Connect.Rest;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Switching;
using Npgsql;

namespace CdcMigrator.Service.Diagnosing;

/// <summary>Asks both databases and Kafka Connect how a migration stands. Reads only; needs no running service, and says so where none answers.</summary>
public static class MigrationDiagnosis
{
    /// <summary>What waits for whom.</summary>
    /// <param name="definition">The migration file.</param>
    /// <param name="forward">What a service says of the way forward; null where none answers.</param>
    /// <param name="back">And of the way back.</param>
    /// <param name="noService">Why none could be asked.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<DiagnosisReport> RunAsync(MigrationDefinition definition, StatusReport? forward, StatusReport? back, Fault? noService, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(definition);
        var fenced = definition.Source.Kind == SourceKind.PostgreSql;
        await using var source = fenced ? PostgresConnections.CreateControl(definition.Source.Connection) : null;
        await using var target = PostgresConnections.CreateControl(definition.Target.Connection);
        var sides = fenced ? new Sides(definition, source!, target, TimeProvider.System) : null;
        var asked = new[]
        {
            sides is null ? Task.FromResult<SideFacts?>(null) : AskAsync("source", definition, sides.Source, source!, ConnectorNames.Slot(definition.LogName), cancellationToken),
            AskAsync("target", definition, sides?.Target, target, sides is null ? "" : ConnectorNames.Slot(definition.TurnedRound().LogName), cancellationToken),
        };
        var facts = await Task.WhenAll(asked);
        var prepared = facts[0]?.Record is not null && facts[1]!.Record is not null;
        return Diagnosis.Of(new DiagnosisFacts(definition.Name, facts[0], facts[1]!)
        {
            Connectors = await ConnectorsAsync(definition, prepared, cancellationToken),
            Forward = forward,
            Back = prepared ? back : null,
            NoService = noService,
            Routes = definition.Cutover.Route is { AfterOpen.Count: > 0 } or { PgBouncers.Count: > 0 },
        });
    }

    private static async Task<SideFacts?> AskAsync(string name, MigrationDefinition definition, FencedSide? side, NpgsqlDataSource database, string slot, CancellationToken cancellationToken)
    {
        try
        {
            return await Sides.AskAsync(name, Patience.Work, async stop =>
            {
                var record = side is null ? null : await side.ReadAsync(stop);
                var (open, frozen) = await LanesAsync(database, definition.Name, stop);
                return new SideFacts(name)
                {
                    Record = record,
                    Gaps = side is null ? [] : await side.FindGapsAsync(stop),
                    ShutAt = record is null ? null : await side!.FindShutAsync(stop),
                    Waiting = side is null ? null : await side.FindWaitAsync(stop),
                    Obstacles = record is { State: FenceState.Open, CompletedAt: null } ? await side!.CheckAsync(name, stop) : [],
                    SlotName = slot,
                    Slot = slot.Length == 0 ? null : await SlotState.ReadAsync(database, slot, stop),
                    LanesOpen = open,
                    LanesFrozen = frozen,
                    Leaked = record is null ? new Dictionary<string, long>() : await LeakedRows.ReadAsync(database, definition.Name, stop),
                };
            }, cancellationToken);
        }
        catch (FaultException exception)
        {
            return new SideFacts(name) { Away = exception.Fault };
        }
    }

    private static async Task<(int Open, int Frozen)> LanesAsync(NpgsqlDataSource database, string migration, CancellationToken cancellationToken)
    {
        await using (var exists = database.CreateCommand("select to_regclass('cdc_migrator.progress') is not null"))
        {
            if (await exists.ExecuteScalarAsync(cancellationToken) is not true)
            {
                return (0, 0);
            }
        }

        await using var command = database.CreateCommand("select topic, frozen from cdc_migrator.progress where migration = $1");
        command.Parameters.Add(new NpgsqlParameter { Value = migration });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var (open, frozen) = (0, 0);
        while (await reader.ReadAsync(cancellationToken))
        {
            if (!Directions.IsMarkerTopic(reader.GetString(0)))
            {
                (open, frozen) = reader.GetBoolean(1) ? (open, frozen + 1) : (open + 1, frozen);
            }
        }

        return (open, frozen);
    }

    /// <summary>That of the way back is expected once both sides are prepared.</summary>
    private static async Task<IReadOnlyList<ConnectorFacts>> ConnectorsAsync(MigrationDefinition definition, bool prepared, CancellationToken cancellationToken)
    {
        if (definition.Log.Kind != LogKind.Kafka || definition.Connect is not { } connect)
        {
            return [];
        }

        using var client = new ConnectClient(connect.Url);
        var found = new List<ConnectorFacts>();
        foreach (var section in prepared ? new[] { connect, definition.TurnedRound().Connect! } : [connect])
        {
            try
            {
                found.Add(new ConnectorFacts(section, await client.FindStatusAsync(section.Connector, cancellationToken), null));
            }
            catch (FaultException exception)
            {
                found.Add(new ConnectorFacts(section, null, exception.Fault));
            }
        }

        return found;
    }
}
