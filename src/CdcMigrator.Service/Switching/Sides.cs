using System.Text.Json;
using CdcMigrator.Cutover.Switching;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Postgres.Faults;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Api;
using Npgsql;

namespace CdcMigrator.Service.Switching;

/// <summary>Both databases of a migration, each with its fence. Faults are <see cref="FaultException"/>s only.</summary>
internal sealed class Sides(MigrationDefinition definition, NpgsqlDataSource source, NpgsqlDataSource target, TimeProvider time)
{
    private static readonly string Actor = $"{Environment.MachineName}/{Environment.ProcessId}";

    /// <summary>The source of the migration file.</summary>
    public FencedSide Source { get; } = new(source, definition.Name, [.. definition.Tables.Select(table => table.Source)], Actor, time);

    /// <summary>The target of the migration file.</summary>
    public FencedSide Target { get; } = new(target, definition.Name, [.. definition.Tables.Select(table => table.Target)], Actor, time);

    /// <summary>The side a direction leaves.</summary>
    public FencedSide Left(MigrationDirection direction) => direction == MigrationDirection.Forward ? Source : Target;

    /// <summary>The side that takes over.</summary>
    public FencedSide Taking(MigrationDirection direction) => direction == MigrationDirection.Forward ? Target : Source;

    /// <summary>Sessions on the side a direction leaves.</summary>
    public NpgsqlDataSource LeftDatabase(MigrationDirection direction) => direction == MigrationDirection.Forward ? source : target;

    /// <summary>Sessions on the side that takes over.</summary>
    public NpgsqlDataSource TakingDatabase(MigrationDirection direction) => direction == MigrationDirection.Forward ? target : source;

    /// <summary>
    /// Brings both sides to where an attempt can be made: control schema, triggers, and rows that say that the source is open and the target is not. Leaves rows that are there as
    /// they are. From now on the target takes writes from the applier only.
    /// </summary>
    public Task PrepareAsync(CancellationToken cancellationToken) => AskAsync(async () =>
    {
        await ControlSchema.MigrateAsync(source, cancellationToken);
        await ControlSchema.MigrateAsync(target, cancellationToken);
        await Target.PrepareSealedAsync(cancellationToken);
        await Source.PrepareOpenAsync(cancellationToken);
        return true;
    });

    /// <summary>Lifts the fence of each side that an attempt has closed; false where there was none.</summary>
    public async Task<bool> LiftAsync(CancellationToken cancellationToken)
    {
        var (here, there) = await ReadAsync(cancellationToken);
        var lifted = false;
        foreach (var (side, record) in new[] { (Source, here), (Target, there) })
        {
            lifted |= record is { State: FenceState.Closed } && await AskAsync(() => side.UndoAsync(record.Token, onlyForsaken: false, cancellationToken));
        }

        return lifted;
    }

    /// <summary>Both rows; null where that side was never prepared.</summary>
    public Task<(FenceRecord? Source, FenceRecord? Target)> ReadAsync(CancellationToken cancellationToken) =>
        AskAsync(async () => (await Source.ReadAsync(cancellationToken), await Target.ReadAsync(cancellationToken)));

    /// <summary>
    /// Keeps what an attempt did and what it did it on, in the journals of both sides: whoever audits needs psql and one of them. A side that does not answer goes without.
    /// </summary>
    public async Task NoteAsync(MigrationDirection direction, CutoverReport report, OutageTrial? trial, CancellationToken cancellationToken)
    {
        var evidence = JsonSerializer.Serialize(
            new { report, predictedMs = trial?.Total.TotalMilliseconds, from = await IdentityAsync(LeftDatabase(direction)), to = await IdentityAsync(TakingDatabase(direction)) }, ApiJson.Options);
        foreach (var database in new[] { source, target })
        {
            await using var command = database.CreateCommand("insert into cdc_migrator.journal (migration, actor, event, evidence) values ($1, $2, $3, $4::jsonb)");
            foreach (var value in new[] { definition.Name, report.Attempt.Actor, $"cutover-{report.Phase.ToString().ToLowerInvariant()}", evidence })
            {
                command.Parameters.Add(new NpgsqlParameter { Value = value });
            }

            try
            {
                await AskAsync(() => command.ExecuteNonQueryAsync(cancellationToken));
            }
            catch (FaultException)
            {
                // What decides is in the fence's own rows, and in their own notes.
            }
        }
    }

    private static async Task<string> IdentityAsync(NpgsqlDataSource database)
    {
        try
        {
            var identity = await SourceIdentity.ReadAsync(database, CancellationToken.None);
            return $"{identity.SystemIdentifier}/{identity.Timeline}";
        }
        catch (NpgsqlException)
        {
            return "";
        }
    }

    /// <summary>Does something with a database, and names what goes wrong.</summary>
    public static async Task<T> AskAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception exception) when (exception is NpgsqlException or IOException or TimeoutException or System.Net.Sockets.SocketException)
        {
            throw PostgresFaults.ToException(exception);
        }
    }
}
