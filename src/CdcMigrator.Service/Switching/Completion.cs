using CdcMigrator.Connect;
using CdcMigrator.Connect.Rest;
using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Embedded;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Runtime;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace CdcMigrator.Service.Switching;

/// <summary>
/// The end of a migration. It is decided in one transaction, in the row of the side that takes writes: from then on no attempt can close that side, and no process applies anything, whenever it starts.
/// What is left behind is taken away after it, in steps that each may be repeated: whichever process lives does them, until they are done.
/// </summary>
internal sealed class Completion(MigrationDefinition definition, Sides sides, TimeProvider time, ILogger log)
{
    /// <summary>Code of what is refused once the migration is over.</summary>
    public const string Completed = "completed";

    private const string Finished = "completion-finished";
    private static readonly TimeSpan SlotPatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LookPause = TimeSpan.FromMilliseconds(50);
    private volatile Fault? fault;
    private volatile bool finished;

    /// <summary>What keeps the rest from being taken away; null where nothing does.</summary>
    public Fault? Fault => fault;

    /// <summary>What is taken away once it is decided, in order. Nothing that holds WAL comes last.</summary>
    internal IReadOnlyList<Func<CancellationToken, Task>> Steps =>
    [
        NoteSourceAsync,
        stop => RemoveReaderAsync(MigrationDirection.Back, stop),
        stop => RemoveReaderAsync(MigrationDirection.Forward, stop),
        DropFenceAsync,
        NoteFinishedAsync,
    ];

    /// <summary>Whether it was decided.</summary>
    /// <exception cref="FaultException">Unreachable.</exception>
    public async Task<bool> IsDecidedAsync(CancellationToken cancellationToken) => await Sides.AskAsync(() => sides.Target.ReadAsync(cancellationToken)) is { CompletedAt: not null };

    /// <summary>Refuses to begin what was ended, by the row of the side that is applied to.</summary>
    /// <exception cref="FaultException">NotAllowed <c>completed</c>.</exception>
    public static async Task RefuseAsync(NpgsqlDataSource database, string migration, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await new FencedSide(database, migration, [], "", time).ReadAsync(cancellationToken) is { CompletedAt: not null })
        {
            throw new FaultException(FaultKind.NotAllowed, Completed, $"Migration {migration} is over");
        }
    }

    /// <summary>Refuses where the migration is over.</summary>
    /// <exception cref="FaultException">NotAllowed <c>completed</c>.</exception>
    public void Refuse(FenceRecord? target)
    {
        if (target is { CompletedAt: { } at })
        {
            throw new FaultException(FaultKind.NotAllowed, Completed, $"Migration {definition.Name} was completed at {at:yyyy-MM-dd HH:mm:ss}Z by {target.CompletedBy}: there is no way back any more", "A new migration, with a name of its own, can lead wherever you like");
        }
    }

    /// <summary>Decides it, unless that was done before.</summary>
    /// <exception cref="FaultException">NotAllowed <c>not-over</c>: the target is not open, or the source not sealed.</exception>
    public async Task DecideAsync(string actor, CancellationToken cancellationToken)
    {
        if (await IsDecidedAsync(cancellationToken))
        {
            return;
        }

        var (source, target) = await sides.ReadAsync(cancellationToken);
        if (target is { Held.Length: > 0 })
        {
            throw new FaultException(FaultKind.NotAllowed, "attempt-running", "An attempt makes applications wait, or is letting them go", "'cdcm cutover status' shows it, 'cdcm cutover abort' calls it off; then try again");
        }

        if (target is not { State: FenceState.Open } || source is not { State: FenceState.Sealed } || source.Token != target.Token
            || !await Sides.AskAsync(sides.Target.Name, Patience.Work, decide => sides.Target.CompleteAsync(FenceState.Open, target.Token, actor, decide), cancellationToken))
        {
            throw new FaultException(
                FaultKind.NotAllowed, "not-over",
                $"Only a migration whose target takes writes, with its source left for good, can be completed: the source is {Text(source)}, the target {Text(target)}", "'cdcm cutover status' shows both sides and the next command");
        }
    }

    /// <summary>Waits until what is left behind is taken away.</summary>
    /// <exception cref="FaultException">What keeps it; it is tried again.</exception>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        while (!finished)
        {
            if (fault is { } obstacle)
            {
                throw new FaultException(obstacle);
            }

            await Task.Delay(LookPause, time, cancellationToken);
        }
    }

    /// <summary>Takes away what is left behind, however often it takes. Neither direction may run in this process.</summary>
    public async Task FinishAsync(CancellationToken stop)
    {
        while (true)
        {
            try
            {
                // The source may be gone for good once everything was done.
                foreach (var step in await Sides.AskAsync(sides.Target.Name, Patience.Answer, WasFinishedAsync, stop) ? [] : Steps)
                {
                    await Sides.AskAsync(async () =>
                    {
                        await step(stop);
                        return true;
                    });
                }

                (fault, finished) = (null, true);
                RuntimeLog.Completed(log, definition.Name);
                return;
            }
            catch (FaultException exception)
            {
                if (fault?.ToString() != exception.Fault.ToString())
                {
                    RuntimeLog.SampleFailed(log, "completion", exception.Fault);
                }

                fault = exception.Fault;
            }

            await Task.Delay(RetryPause, time, stop);
        }
    }

    /// <summary>The source stays sealed, and knows why: the way back must not begin there either.</summary>
    private async Task NoteSourceAsync(CancellationToken cancellationToken)
    {
        if (await sides.Target.ReadAsync(cancellationToken) is { CompletedBy: { } actor, Token: var token })
        {
            await Patience.AskAsync(sides.Source.Name, Patience.Work, stop => sides.Source.CompleteAsync(FenceState.Sealed, token, actor, stop), cancellationToken);
        }
    }

    /// <summary>The connector first: a slot that is dropped under it would be made again.</summary>
    private async Task RemoveReaderAsync(MigrationDirection direction, CancellationToken cancellationToken)
    {
        var way = direction == MigrationDirection.Forward ? definition : definition.TurnedRound();
        if (definition.Log.Kind == LogKind.Embedded)
        {
            await EmbeddedLog.RemoveAsync(EmbeddedLogs.Of(way, _ => Task.FromResult<IReadOnlyList<LaneProgress>>([]), time, NullLoggerFactory.Instance), cancellationToken);
            return;
        }

        if (way.Connect is { } connect)
        {
            using var client = new ConnectClient(connect.Url);
            await client.DeleteAsync(connect.Connector, cancellationToken);
        }

        await WithinAsync(sides.Left(direction), SlotPatience + Patience.Work, stop => SlotRemoval.DropAsync(sides.LeftDatabase(direction), ConnectorNames.Slot(way.LogName), SlotPatience, time, stop), cancellationToken);
    }

    /// <summary>A table at a time: each is locked for a moment, under the applications that write there.</summary>
    private async Task DropFenceAsync(CancellationToken cancellationToken)
    {
        foreach (var table in definition.Tables)
        {
            await WithinAsync(sides.Target, Patience.Work, stop => new SourceFence(sides.TakingDatabase(MigrationDirection.Forward), [table.Target], time).DropAsync(stop), cancellationToken);
        }
    }

    /// <summary>A side that says nothing is named while whoever completes waits, and a step is repeated anyhow.</summary>
    private static Task<bool> WithinAsync(FencedSide side, TimeSpan limit, Func<CancellationToken, Task> step, CancellationToken cancellationToken) => Patience.AskAsync(
        side.Name, limit,
        async stop =>
        {
            await step(stop);
            return true;
        },
        cancellationToken);

    private async Task<bool> WasFinishedAsync(CancellationToken cancellationToken)
    {
        await using var command = sides.TakingDatabase(MigrationDirection.Forward).CreateCommand("select exists (select from cdc_migrator.journal where migration = $1 and event = $2)");
        command.Parameters.Add(new NpgsqlParameter { Value = definition.Name });
        command.Parameters.Add(new NpgsqlParameter { Value = Finished });
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    /// <summary>The target's note comes last: with it nothing is looked for any more.</summary>
    private async Task NoteFinishedAsync(CancellationToken cancellationToken)
    {
        await WithinAsync(sides.Source, Patience.Work, stop => NoteFinishedAsync(sides.LeftDatabase(MigrationDirection.Forward), stop), cancellationToken);
        await WithinAsync(sides.Target, Patience.Work, stop => NoteFinishedAsync(sides.TakingDatabase(MigrationDirection.Forward), stop), cancellationToken);
    }

    private async Task NoteFinishedAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            "insert into cdc_migrator.journal (migration, actor, event) select $1, $2, $3 where not exists (select from cdc_migrator.journal where migration = $1 and event = $3)");
        foreach (var value in new[] { definition.Name, $"{Environment.MachineName}/{Environment.ProcessId}", Finished })
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static string Text(FenceRecord? record) => record?.State.ToString().ToLowerInvariant() ?? "not prepared";
}
