using System.Text.Json;
using CdcMigrator.Cutover;
using CdcMigrator.Cutover.Predicting;
using CdcMigrator.Cutover.Switching;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Postgres.Faults;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Reporting;
using Npgsql;

namespace CdcMigrator.Service.Switching;

/// <summary>Both databases of a migration, each with its fence. Faults are <see cref="FaultException"/>s only.</summary>
internal sealed class Sides(MigrationDefinition definition, NpgsqlDataSource source, NpgsqlDataSource target, TimeProvider time)
{
    /// <summary>How long the owner of an attempt that is called off has to notice that, and to keep its note from then on: where it does not, whoever finds the note lets applications go.</summary>
    public static readonly TimeSpan OwnersTime = TimeSpan.FromSeconds(5);
    private static readonly string Actor = $"{Environment.MachineName}/{Environment.ProcessId}";

    /// <summary>The source of the migration file.</summary>
    public FencedSide Source { get; } = Side("source", source, target, definition, [.. definition.Tables.Select(table => table.Source)], [.. definition.Tables.Select(table => table.TurnedRound())], time);

    /// <summary>The target of the migration file.</summary>
    public FencedSide Target { get; } = Side("target", target, source, definition, [.. definition.Tables.Select(table => table.Target)], definition.Tables, time);

    /// <summary>Attempts that this process ended in the place of the one that made them.</summary>
    public EndedForOthers Ended { get; } = new();

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

    /// <summary>Lifts the fence of each side that an attempt has closed; false where there was none. An older copy of a side that was left stays closed: the other one is open.</summary>
    /// <exception cref="FaultException">Unreachable: neither side answers. Or why one could not be lifted; the other one was looked at all the same.</exception>
    public async Task<bool> LiftAsync(CancellationToken cancellationToken)
    {
        var (here, there) = await ReadAnyAsync(cancellationToken);
        var lifted = false;
        FaultException? failed = null;
        foreach (var (side, record, other) in new[] { (Source, here, there), (Target, there, here) })
        {
            if (record is not { State: FenceState.Closed } || record.IsOlderThan(other))
            {
                continue;
            }

            try
            {
                if (await AskAsync(side.Name, side.Fence.Deadline + Patience.Answer, stop => side.UndoAsync(record.Token, onlyForsaken: false, stop), cancellationToken))
                {
                    Ended.Add(record.Token);
                    lifted = true;
                }
            }
            catch (FaultException exception)
            {
                // The other one is lifted all the same.
                failed ??= exception;
            }
        }

        return failed is null ? lifted : throw failed;
    }

    /// <summary>Calls off each attempt that makes applications wait and has not closed its side, in whichever process it is. May be repeated.</summary>
    /// <param name="lease">How long its owner has until others let applications go; it keeps the note longer while it does so itself.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Those that let applications go now, or are about to; empty where there was none.</returns>
    /// <exception cref="FaultException">Unreachable: a side does not answer, and the other one has nothing to be called off.</exception>
    public async Task<IReadOnlyList<(FencedSide Side, string Token)>> CallOffAsync(TimeSpan lease, CancellationToken cancellationToken)
    {
        var (here, there, away) = await ReadEachAsync(cancellationToken);
        var off = new List<(FencedSide, string)>();
        foreach (var (side, record) in new[] { (Source, here), (Target, there) })
        {
            if (record is { State: FenceState.Open, Held.Length: > 0 })
            {
                await AskAsync(side.Name, Patience.Work, stop => side.Hold.CallOffAsync(record.Held, Actor, lease, stop), cancellationToken);
                off.Add((side, record.Held));
            }
        }

        // Of a side that says nothing it is not known that there is nothing to call off.
        return off.Count > 0 || away is null ? off : throw new FaultException(away);
    }

    /// <summary>Sequences of the side that takes over that would be moved on.</summary>
    public Task<IReadOnlyList<TableName>> SequencesAsync(MigrationDirection direction, CancellationToken cancellationToken) =>
        AskAsync(() => Sequences.ListAsync(LeftDatabase(direction), TakingDatabase(direction), Tables(direction), cancellationToken));

    /// <summary>Moves sequences of the side that takes over past those of the other one; behind the fence. Returns those that moved.</summary>
    public Task<IReadOnlyList<TableName>> AdvanceSequencesAsync(MigrationDirection direction, int margin, CancellationToken cancellationToken) =>
        AskAsync(() => Sequences.AdvanceAsync(LeftDatabase(direction), TakingDatabase(direction), Tables(direction), margin, cancellationToken));

    /// <summary>What would keep the side that takes over from handing out values where the other one ends.</summary>
    public Task<IReadOnlyList<Finding>> CheckSequencesAsync(MigrationDirection direction, CancellationToken cancellationToken) => AskAsync(() => direction == MigrationDirection.Forward
        ? Sequences.CheckAsync(source, "source", target, "target", Tables(direction), cancellationToken)
        : Sequences.CheckAsync(target, "target", source, "source", Tables(direction), cancellationToken));

    /// <summary>Both rows; null where that side was never prepared.</summary>
    /// <exception cref="FaultException">Unreachable: a side does not answer.</exception>
    public Task<(FenceRecord? Source, FenceRecord? Target)> ReadAsync(CancellationToken cancellationToken) =>
        AskAsync(async () => (await Source.ReadAsync(cancellationToken), await Target.ReadAsync(cancellationToken)));

    /// <summary>Both rows, null too where that side does not answer: on the night on which one is gone the other one must be of use.</summary>
    /// <exception cref="FaultException">Unreachable: neither answers.</exception>
    public async Task<(FenceRecord? Source, FenceRecord? Target)> ReadAnyAsync(CancellationToken cancellationToken)
    {
        var (here, there, _) = await ReadEachAsync(cancellationToken);
        return (here, there);
    }

    /// <summary>Both rows, and why one of them is not known: where a side does not answer, or not in time, its row is null.</summary>
    /// <exception cref="FaultException">Unreachable: neither answers.</exception>
    public async Task<(FenceRecord? Source, FenceRecord? Target, Fault? Away)> ReadEachAsync(CancellationToken cancellationToken)
    {
        var (asked, other) = (TryReadAsync(Source, cancellationToken), TryReadAsync(Target, cancellationToken));
        var ((source, here), (target, there)) = (await asked, await other);
        return here is not null && there is not null ? throw new FaultException(here) : (source, target, here ?? there);
    }

    private static async Task<(FenceRecord? Record, Fault? Away)> TryReadAsync(FencedSide side, CancellationToken cancellationToken)
    {
        try
        {
            return (await AskAsync(() => side.ReadAsync(cancellationToken)), null);
        }
        catch (FaultException exception)
        {
            return (null, exception.Fault.Code == Patience.NoAnswer ? exception.Fault : exception.Fault with { Message = $"The {side.Name} does not answer: {exception.Fault.Message}" });
        }
    }

    /// <summary>
    /// Keeps what an attempt did and what it did it on, in the journals of both sides: whoever audits needs psql and one of them. A side that does not answer goes without.
    /// </summary>
    public async Task NoteAsync(MigrationDirection direction, CutoverReport report, OutagePrediction? prediction, IReadOnlyList<WaiverReport> waived, CancellationToken cancellationToken)
    {
        // Each side by itself: one that is gone, or says nothing, keeps no report from the other one.
        var identities = await Task.WhenAll(IdentityAsync(Left(direction).Name, LeftDatabase(direction), cancellationToken), IdentityAsync(Taking(direction).Name, TakingDatabase(direction), cancellationToken));
        var evidence = JournaledAttempt.Of(report, prediction, identities[0], identities[1], waived).ToJson();
        await Task.WhenAll(NoteAsync(Source.Name, source, report, evidence, cancellationToken), NoteAsync(Target.Name, target, report, evidence, cancellationToken));
    }

    private async Task NoteAsync(string name, NpgsqlDataSource database, CutoverReport report, string evidence, CancellationToken cancellationToken)
    {
        try
        {
            await AskAsync(
                name, Patience.Answer,
                async stop =>
                {
                    await using var command = database.CreateCommand("insert into cdc_migrator.journal (migration, actor, event, evidence) values ($1, $2, $3, $4::jsonb)");
                    foreach (var value in new[] { definition.Name, report.Attempt.Actor, $"cutover-{report.Phase.ToString().ToLowerInvariant()}", evidence })
                    {
                        command.Parameters.Add(new NpgsqlParameter { Value = value });
                    }

                    return await command.ExecuteNonQueryAsync(stop);
                },
                cancellationToken);
        }
        catch (FaultException)
        {
            // What decides is in the fence's own rows, and in their own notes.
        }
    }

    /// <summary>The evidence of an attempt that is over, from whichever side's journal has it.</summary>
    /// <param name="token">The attempt; null for the last one that was done, or the last one where none was.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="FaultException">NotAllowed <c>no-evidence</c>. Unreachable: a side does not answer, and the other one knows nothing.</exception>
    public async Task<CutoverEvidence> ReadEvidenceAsync(string? token, CancellationToken cancellationToken)
    {
        FaultException? away = null;
        var found = new List<(DateTimeOffset At, JournaledAttempt Attempt)>();
        (string Token, long Epoch) opened = ("", 0);
        var isOpen = false;
        foreach (var (database, side) in new[] { (source, Source), (target, Target) })
        {
            try
            {
                isOpen |= await AskAsync(() => side.ReadAsync(cancellationToken)) is { State: FenceState.Open };
                found.AddRange(await AskAsync(side.Name, Patience.Answer, stop => ReadJournalAsync(database, token, stop), cancellationToken));
                opened = token is null && await AskAsync(side.Name, Patience.Answer, stop => ReadOpenedAsync(database, stop), cancellationToken) is var last && last.Epoch > opened.Epoch ? last : opened;
            }
            catch (FaultException exception)
            {
                // Both keep the same: one is enough.
                away ??= exception;
            }
        }

        var isBehind = opened.Epoch > found.Select(note => note.Attempt.Report.Attempt.Epoch).DefaultIfEmpty().Max();
        if (away is not null && token is null && (isBehind || (found.Count > 0 && !isOpen)))
        {
            // What was done last may be in its journal alone: until an attempt reports, only the side it left knows what it was done on.
            throw new FaultException(away.Fault with { Message = $"One side does not answer, and the last attempt may be in its journal alone: {away.Fault.Message}", Fix = "Ask again once it answers; '--attempt TOKEN' shows an earlier attempt" });
        }

        if (isBehind)
        {
            // An older attempt's evidence would say nothing of how the sides stand.
            throw new FaultException(
                FaultKind.NotAllowed, "no-evidence", $"The last attempt, {opened.Token}, has opened the side that takes over and not reported yet: it still sends applications there, or its process died behind the point of no return",
                $"What it did is in both sides' journals: select * from cdc_migrator.journal where evidence ->> 'token' = '{opened.Token}'; '--attempt TOKEN' shows an earlier attempt");
        }

        return found.Count > 0
            ? found.OrderByDescending(note => note.Attempt.Report.Phase is CutoverPhase.Done or CutoverPhase.Sealed).ThenByDescending(note => note.Attempt.Report.Attempt.Epoch)
                .ThenByDescending(note => note.Attempt.Report.Phase == CutoverPhase.Done).ThenByDescending(note => note.At)
                .Select(note => EvidenceChecks.Evidence(definition, note.At, note.Attempt)).First()
            : throw away ?? new FaultException(
                FaultKind.NotAllowed, "no-evidence", token is null ? "No attempt has ended yet" : $"Neither side's journal knows an attempt {token}", "'cdcm cutover status' shows the last attempt");
    }

    /// <summary>The attempt that opened a side last; number 0 where none did.</summary>
    private async Task<(string Token, long Epoch)> ReadOpenedAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        if (await new FencedSide(database, definition.Name, [], "", time).ReadAsync(cancellationToken) is null)
        {
            return ("", 0);
        }

        await using var command = database.CreateCommand("""
            select evidence ->> 'token', (evidence ->> 'epoch')::bigint from cdc_migrator.journal where migration = $1 and event = 'side-opened' order by (evidence ->> 'epoch')::bigint desc limit 1
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = definition.Name });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? (reader.GetString(0), reader.GetInt64(1)) : ("", 0);
    }

    private async Task<IReadOnlyList<(DateTimeOffset At, JournaledAttempt Attempt)>> ReadJournalAsync(NpgsqlDataSource database, string? token, CancellationToken cancellationToken)
    {
        await using (var exists = database.CreateCommand("select to_regclass('cdc_migrator.journal') is not null"))
        {
            if (await exists.ExecuteScalarAsync(cancellationToken) is not true)
            {
                return [];
            }
        }

        await using var command = database.CreateCommand("""
            select at, evidence::text from cdc_migrator.journal
            where migration = $1 and evidence ? 'report' and event like 'cutover-%' and ($2 = '' or evidence -> 'report' -> 'attempt' ->> 'token' = $2)
            order by event in ('cutover-done', 'cutover-sealed') desc, (evidence -> 'report' -> 'attempt' ->> 'epoch')::bigint desc, event = 'cutover-done' desc, id desc limit 1
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = definition.Name });
        command.Parameters.Add(new NpgsqlParameter { Value = token ?? "" });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? [(reader.GetFieldValue<DateTimeOffset>(0), JsonSerializer.Deserialize<JournaledAttempt>(reader.GetString(1), ApiJson.Options)!)]
            : [];
    }

    /// <summary>Tables from the side that is left to the other one.</summary>
    private IReadOnlyList<TableMapping> Tables(MigrationDirection direction) =>
        direction == MigrationDirection.Forward ? definition.Tables : [.. definition.Tables.Select(table => table.TurnedRound())];

    private static FencedSide Side(
        string name, NpgsqlDataSource database, NpgsqlDataSource other, MigrationDefinition definition, IReadOnlyList<TableName> tables, IReadOnlyList<TableMapping> intoIt, TimeProvider time) =>
        new(database, definition.Name, tables, Actor, time)
        {
            Name = name,
            MoveSequences = (session, cancellationToken) => Sequences.AdvanceAsync(other, database, session, intoIt, CutoverOptions.Of(definition).SequenceMargin, cancellationToken),
            Fence = new SourceFence(database, tables, time) { LockTimeout = definition.Cutover.LockTimeout, Deadline = definition.Cutover.Deadlines.Fencing },
        };

    private static async Task<string> IdentityAsync(string name, NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        try
        {
            return (await AskAsync(name, Patience.Answer, stop => SourceIdentity.ReadAsync(database, stop), cancellationToken)).ToString();
        }
        catch (FaultException)
        {
            return "";
        }
    }

    /// <summary>A side's row; null where it was never prepared, or does not answer.</summary>
    public static async Task<FenceRecord?> TryReadAsync(NpgsqlDataSource database, string migration, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            return await AskAsync(() => new FencedSide(database, migration, [], "", time).ReadAsync(cancellationToken));
        }
        catch (FaultException)
        {
            return null;
        }
    }

    /// <summary>The same with a side that is not waited for longer than it may hold up whatever comes next.</summary>
    /// <exception cref="FaultException">Unreachable <see cref="Patience.NoAnswer"/> names the side.</exception>
    public static Task<T> AskAsync<T>(string side, TimeSpan limit, Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken) =>
        AskAsync(() => Patience.AskAsync(side, limit, work, cancellationToken));

    /// <summary>Does something that is done again by others where a side is away.</summary>
    public static async Task QuietAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (FaultException)
        {
            // Its row says that it has not been done.
        }
    }

    /// <summary>Does something with a database, and names what goes wrong.</summary>
    public static async Task<T> AskAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }
}
