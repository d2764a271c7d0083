using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Control;
using Npgsql;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>
/// One side of a migration and the row that says whether it takes writes. Each change is one transaction that changes row and fence together, and only
/// from the state the caller knew: of two that race one wins, and whoever acts late changes nothing. Times are those of the side's own clock. Every method may be repeated.
/// </summary>
public sealed class FencedSide
{
    private readonly NpgsqlDataSource database;
    private readonly string migration;
    private readonly string actor;
    private readonly FenceStateRow row;

    /// <summary>Makes the side; nothing connects yet.</summary>
    /// <param name="database">The side, with a role that may alter the tables.</param>
    /// <param name="migration">Name of the migration.</param>
    /// <param name="tables">Tables as they are called on this side.</param>
    /// <param name="actor">Who acts, for the side's journal.</param>
    /// <param name="time">Clock of retries.</param>
    public FencedSide(NpgsqlDataSource database, string migration, IReadOnlyList<TableName> tables, string actor, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(database);
        this.database = database;
        this.migration = migration;
        this.actor = actor;
        row = new FenceStateRow(database, migration, actor);
        Fence = new SourceFence(database, tables, time);
        Hold = new HoldNote(database, migration);
    }

    /// <summary>What it is called in messages: <c>source</c> or <c>target</c>.</summary>
    public string Name { get; init; } = "side";

    /// <summary>The triggers, and how long their tables' locks are waited for.</summary>
    public SourceFence Fence { get; init; }

    /// <summary>The note that applications are made to wait, before the side is closed.</summary>
    public HoldNote Hold { get; }

    /// <summary>Moves this side's sequences past the other side's, in a session of this side; null where there are none to move.</summary>
    public Func<NpgsqlConnection, CancellationToken, Task>? MoveSequences { get; init; }

    /// <summary>Creates the triggers and the row of a side that applications write to. Leaves a row that is there as it is.</summary>
    public async Task PrepareOpenAsync(CancellationToken cancellationToken)
    {
        await Fence.PrepareAsync(cancellationToken);
        await row.InsertAsync(FenceState.Open, 1, cancellationToken);
    }

    /// <summary>
    /// Denies writes on a side that takes only what is applied to it. Leaves a row that is there, and its fence, as they are. Other sessions in the replica role pass here: nothing is lost by them,
    /// and comparing finds what they write.
    /// </summary>
    public async Task PrepareSealedAsync(CancellationToken cancellationToken)
    {
        await Fence.PrepareAsync(cancellationToken);
        await Fence.CloseAsync(connection => row.InsertAsync(connection, FenceState.Sealed, 0, cancellationToken), (_, _) => Task.CompletedTask, always: false, cancellationToken);
    }

    /// <summary>The row; null before the side was prepared. Waits for no lock.</summary>
    /// <exception cref="FaultException">Unreachable <see cref="Patience.NoAnswer"/>: the side said nothing for <see cref="Patience.Answer"/>.</exception>
    public Task<FenceRecord?> ReadAsync(CancellationToken cancellationToken) => Patience.AskAsync(Name, Patience.Answer, row.ReadAsync, cancellationToken);

    /// <summary>Closes an open side for an attempt, behind every writer in flight, with the marker that tells when the log holds all it wrote.</summary>
    /// <param name="token">The attempt.</param>
    /// <param name="epoch">Its number: above those of both sides.</param>
    /// <param name="lease">How long the side stays closed if nobody seals it.</param>
    /// <param name="cancellationToken">Gives up; the side may then be closed, until its lease is over.</param>
    /// <exception cref="FaultException">NotAllowed <c>fence-taken</c>: another attempt was first. TimedOut: writers did not go away; the side is open as before.</exception>
    public async Task<FenceMarker> CloseAsync(string token, long epoch, TimeSpan lease, CancellationToken cancellationToken) => await Fence.CloseAsync(
        connection => row.ChangeAsync(
            connection, null,
            $"""
            state = 'closed', epoch = $3, token = $2, lease_until = clock_timestamp() + $4, held = '', held_until = '-infinity', releasing = false
            where migration = $1 and (state = 'open' and epoch < $3 or state = 'closed' and epoch = $3 and token = $2) and ({FenceStateRow.CompletedAt}) is null
                and (held = '' or held_until < clock_timestamp() or held = $2 and not releasing)
            """,
            cancellationToken, token, epoch, lease),
        (connection, all) => ClosedFence.NoteAsync(connection, migration, actor, token, all, cancellationToken), always: true, cancellationToken)
        ?? throw new FaultException(FaultKind.NotAllowed, "fence-taken", "Another attempt has closed this side, or has left it", "See 'cdcm status'");

    /// <summary>Keeps a closed side closed for longer. False where the attempt has lost it.</summary>
    public async Task<bool> RenewAsync(string token, TimeSpan lease, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await row.ChangeAsync(
            connection, null,
            "lease_until = clock_timestamp() + $3 where migration = $1 and token = $2 and state = 'closed' and lease_until > clock_timestamp()",
            cancellationToken, token, lease);
    }

    /// <summary>Opens a side again that an attempt has closed. False where it is not closed by that attempt any more: opened before, or sealed.</summary>
    /// <param name="token">The attempt.</param>
    /// <param name="onlyForsaken">Only if its lease is over.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="FaultException">TimedOut: the tables stayed locked; the side is closed as before.</exception>
    public Task<bool> UndoAsync(string token, bool onlyForsaken, CancellationToken cancellationToken) => Fence.LiftAsync(
        async connection =>
        {
            await row.LockAsync(connection, cancellationToken);
            return await row.ChangeAsync(
                connection, "fence-undone",
                "state = 'open' where migration = $1 and token = $2 and state = 'closed' and (not $3 or lease_until < clock_timestamp())",
                cancellationToken, token, onlyForsaken);
        },
        cancellationToken);

    /// <summary>
    /// The point of no return: leaves a closed side for good. With it, in the same transaction, what the other side commits from now on is made to come back here.
    /// False where the attempt has lost the side, or its lease ends too soon for certainty. It is looked at that the fence held: a write that went past it lies behind the marker and would be lost.
    /// </summary>
    /// <param name="token">The attempt.</param>
    /// <param name="margin">How much of the lease must be left.</param>
    /// <param name="aim">Where the way back begins; null where there is none: nothing of this migration is applied here any more then.</param>
    /// <param name="terms">What the side that takes over must have when it is opened; null where that is not looked at.</param>
    /// <param name="report">What the attempt did up to here, kept in the journal; null keeps nothing.</param>
    /// <param name="cancellationToken">Gives up; whether it is sealed must then be read.</param>
    /// <exception cref="FaultException">NotAllowed <c>fence-broken</c>: a table was altered, came or went, or its triggers were touched since the close; the side is closed as before, and must be undone.</exception>
    public async Task<bool> SealAsync(string token, TimeSpan margin, DirectionStart? aim, OpeningTerms? terms, SealedReport? report, CancellationToken cancellationToken)
    {
        // The process that runs the way back brings its schema up to date; without one nobody may have.
        await (aim is null ? ControlSchema.MigrateAsync(database, cancellationToken) : Task.CompletedTask);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using (var sync = new NpgsqlCommand($"set local synchronous_commit = on; {SourceFence.QuickEnd}", connection))
        {
            await sync.ExecuteNonQueryAsync(cancellationToken);
        }

        if (!await row.ChangeAsync(
            connection, "fence-sealed", "state = 'sealed', no_return = $4 where migration = $1 and token = $2 and state = 'closed' and lease_until > clock_timestamp() + $3",
            cancellationToken, token, margin, aim is null))
        {
            return false;
        }

        if (await ClosedFence.FindGapsAsync(connection, migration, token, Fence.Tables, cancellationToken) is { Count: > 0 } gaps)
        {
            throw new FaultException(FaultKind.NotAllowed, "fence-broken", $"The fence did not hold since it was closed, so that writes may have gone past it; {string.Join("; ", gaps.Take(5))}{(gaps.Count > 5 ? $"; and {gaps.Count - 5} more" : "")}",
                "Let nobody alter the tables during a cutover, then begin a new attempt: this one must be undone");
        }

        await (aim is null ? Directions.EndAsync(connection, migration, cancellationToken) : Directions.BeginAsync(connection, migration, aim, cancellationToken));
        await (terms is null ? Task.CompletedTask : OpeningCheck.NoteAsync(connection, migration, actor, token, terms, cancellationToken));
        await (report is null ? Task.CompletedTask : row.NoteSealedAsync(connection, report, cancellationToken));
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    /// <summary>The same where the opening is not looked at.</summary>
    public Task<bool> SealAsync(string token, TimeSpan margin, DirectionStart? aim, CancellationToken cancellationToken) => SealAsync(token, margin, aim, terms: null, report: null, cancellationToken);

    /// <summary>What an attempt that left this side noted for whoever opens the other one; null where it noted nothing.</summary>
    /// <exception cref="FaultException">Unreachable <see cref="Patience.NoAnswer"/>.</exception>
    public Task<OpeningTerms?> ReadTermsAsync(string token, CancellationToken cancellationToken) =>
        Patience.AskAsync(Name, Patience.Answer, stop => OpeningCheck.ReadAsync(database, migration, token, stop), cancellationToken);

    /// <summary>Stops what is applied to a side that an attempt has left, for the other one lost what it had committed last (<see cref="OpeningCheck.HasLost"/>). False where it is stopped, or was opened since.</summary>
    public Task<bool> StopDirectionAsync(string token, CancellationToken cancellationToken) => OpeningCheck.StopDirectionAsync(database, migration, actor, token, cancellationToken);

    /// <summary>
    /// Opens the side that takes over, once the other one is sealed by this attempt: with it, in the same transaction, nothing of the other side is applied here any
    /// more. False where it is open by this attempt already, or a later attempt has had it.
    /// </summary>
    /// <param name="token">The attempt.</param>
    /// <param name="epoch">Its number.</param>
    /// <param name="check">Whether the side has all that was proven of it; null where that is not looked at.</param>
    /// <param name="cancellationToken">Gives up; whether it is open must then be read.</param>
    /// <exception cref="FaultException">Transient <see cref="OpeningCheck.Behind"/>: it lost changes; it is sealed as before and goes on applying them.</exception>
    public Task<bool> OpenAsync(string token, long epoch, OpeningCheck? check, CancellationToken cancellationToken) =>
        Fence.LiftAsync(connection => OpenRowAsync(connection, token, epoch, check, cancellationToken), cancellationToken);

    /// <summary>The same without looking.</summary>
    public Task<bool> OpenAsync(string token, long epoch, CancellationToken cancellationToken) => OpenAsync(token, epoch, check: null, cancellationToken);

    /// <summary>The same with what was held for it; where that session is gone, as if nothing had been held, and not before the other side was asked. What was held is let go of, whatever happens: a side that is behind is applied to.</summary>
    /// <param name="held">From <see cref="HoldOpeningAsync"/>.</param>
    /// <param name="token">The attempt.</param>
    /// <param name="epoch">Its number.</param>
    /// <param name="check">Whether the side has all that was proven of it; null where that is not looked at.</param>
    /// <param name="unheld">Asks whether the other side is still left, where nothing is held any more; may refuse.</param>
    /// <param name="cancellationToken">Gives up; whether it is open must then be read.</param>
    /// <exception cref="FaultException">Transient <see cref="OpeningCheck.Behind"/>: it lost changes; it is sealed as before and goes on applying them.</exception>
    public async Task<bool> OpenAsync(HeldOpening held, string token, long epoch, OpeningCheck? check, Func<Task> unheld, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(held);
        ArgumentNullException.ThrowIfNull(unheld);
        bool? opened;
        await using (held)
        {
            opened = await held.OpenAsync((connection, stop) => OpenRowAsync(connection, token, epoch, check, stop), cancellationToken);
        }

        if (opened is { } known)
        {
            return known;
        }

        await unheld();

        // Its server process may live on behind a connection that is dead.
        await EndHeldAsync(held.Token, TimeSpan.Zero, cancellationToken);
        return await OpenAsync(token, epoch, check, cancellationToken);
    }

    /// <summary>
    /// Takes what opening this side needs, before the other one is sealed: the locks of all tables, and the row against other openings. Who reads, claims a lane or compares passes.
    /// </summary>
    /// <param name="token">The attempt.</param>
    /// <param name="silence">How long the server waits for a word of the session's owner before it ends it: longer than the attempt may take to open.</param>
    /// <param name="cancellationToken">Gives up; nothing is held then.</param>
    /// <exception cref="FaultException">TimedOut: a table stayed locked; the message names who holds it.</exception>
    public async Task<HeldOpening> HoldOpeningAsync(string token, TimeSpan silence, CancellationToken cancellationToken)
    {
        var (connection, transaction, relations) = await Fence.HoldAsync(
            async session =>
            {
                await using var command = new NpgsqlCommand(HeldOpening.Begin(token, silence), session);
                await command.ExecuteNonQueryAsync(cancellationToken);

                // Others that open begin with the row: locked only where they change it, one of both would have to give way in the middle.
                await using var row = new NpgsqlCommand("select from cdc_migrator.fence_state where migration = $1 for share", session) { Parameters = { new NpgsqlParameter { Value = migration } } };
                await row.ExecuteNonQueryAsync(cancellationToken);
            },
            cancellationToken);
        return new HeldOpening(connection, transaction, relations, token);
    }

    /// <summary>Ends sessions that hold this side's opening for an attempt and have said nothing for so long. For whoever opens in its place, behind the seal: what they held is done then.</summary>
    /// <param name="token">The attempt.</param>
    /// <param name="silence">How long.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Whether one holds on: its owner lives, and is about to open.</returns>
    public Task<bool> EndHeldAsync(string token, TimeSpan silence, CancellationToken cancellationToken) => HeldOpening.EndAsync(database, token, silence, cancellationToken);

    private async Task<bool> OpenRowAsync(NpgsqlConnection connection, string token, long epoch, OpeningCheck? check, CancellationToken cancellationToken)
    {
        if (!await row.ChangeAsync(
            connection, "side-opened",
            "state = 'open', epoch = $3, token = $2, lease_until = '-infinity' where migration = $1 and state = 'sealed' and epoch < $3", cancellationToken, token, epoch))
        {
            return false;
        }

        await (check?.PassAsync(connection, migration, actor, token, MoveSequences, cancellationToken) ?? Task.CompletedTask);
        await Directions.EndAsync(connection, migration, cancellationToken);
        return true;
    }

    /// <summary>
    /// Ends the migration on a side, as it is: an open one cannot be closed by any attempt from then on. False where it is not in this state by this attempt, or was ended before; then nothing is changed.
    /// </summary>
    /// <param name="state">How the side must stand.</param>
    /// <param name="token">The attempt it must stand so by.</param>
    /// <param name="by">Who ends it.</param>
    /// <param name="cancellationToken">Gives up; whether it is ended must then be read.</param>
    public async Task<bool> CompleteAsync(FenceState state, string token, string by, CancellationToken cancellationToken)
    {
        await ControlSchema.MigrateAsync(database, cancellationToken);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await row.ChangeAsync(
            connection, "migration-completed",
            "completed_at = clock_timestamp(), completed_by = $4 where migration = $1 and token = $2 and state = $3 and completed_at is null and held = ''", cancellationToken, token, state.ToString().ToLowerInvariant(), by);
    }

    /// <summary>
    /// Closes for good, behind its writers in flight, a side whose row says that it is open, or closed by an attempt that may still be undone, although the other side was opened later: it is an older copy of itself, or somebody changed its row by hand. What was written
    /// there meanwhile is in no log. An older copy takes nothing from the log any more either: where it would have to go on is not known there. False where the row is another one by now, or does not tell that it was left.
    /// </summary>
    /// <param name="known">The row as it was read.</param>
    /// <param name="later">The other side's, read open.</param>
    /// <param name="openedThere">Whether the other side's journal knows that it was opened by that attempt.</param>
    /// <param name="cancellationToken">Gives up; the side may then be shut.</param>
    /// <exception cref="FaultException">TimedOut: writers or locks did not go away in time; the side is open as before.</exception>
    public async Task<bool> ShutAsync(FenceRecord known, FenceRecord later, bool openedThere, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(known);
        ArgumentNullException.ThrowIfNull(later);
        return await Fence.CloseAsync(
            connection => row.ChangeAsync(
                connection, ClosedFence.ShutEvent,
                """
                state = 'sealed', epoch = $4, token = $5, lease_until = '-infinity', held = '', held_until = '-infinity', releasing = false where migration = $1 and state = $6 and epoch = $2 and token = $3
                and (epoch < $4 or epoch = $4 and token = $5 and ($6 = 'closed' or exists (select from cdc_migrator.journal j where j.migration = $1 and j.event = 'fence-sealed' and j.evidence ->> 'token' = $5)
                    or $7 and not exists (select from cdc_migrator.journal j where j.migration = $1 and j.event = 'side-opened' and j.evidence ->> 'token' = $5)))
                """,
                cancellationToken, known.Epoch, known.Token, later.Epoch, later.Token, known.State.ToString().ToLowerInvariant(), openedThere),
            async (connection, _) => await (known.Epoch < later.Epoch || !await ClosedFence.WasNotedAsync(connection, migration, "fence-sealed", later.Token, cancellationToken)
                ? Directions.EndAsync(connection, migration, cancellationToken)
                : Task.CompletedTask),
            always: true, cancellationToken) is not null;
    }

    /// <summary>Whether this side's journal knows that an attempt opened it, where the other one was left.</summary>
    /// <exception cref="FaultException">Unreachable <see cref="Patience.NoAnswer"/>.</exception>
    public Task<bool> WasOpenedByAsync(string token, CancellationToken cancellationToken) => Patience.AskAsync(
        Name, Patience.Answer,
        async stop =>
        {
            await using var connection = await database.OpenConnectionAsync(stop);
            return await ClosedFence.WasNotedAsync(connection, migration, "side-opened", token, stop);
        },
        cancellationToken);

    /// <summary>Since when this side is closed by <see cref="ShutAsync"/>; null where it is not, or has been opened since.</summary>
    public Task<DateTimeOffset?> FindShutAsync(CancellationToken cancellationToken) => ClosedFence.FindShutAsync(database, migration, cancellationToken);

    /// <summary>
    /// Where the fence of a side that is not open has holes now: relations without enabled triggers, subscriptions that write. Empty where the side is open, or was never prepared. For alarms while a side stays sealed;
    /// the seal looks closer.
    /// </summary>
    public async Task<IReadOnlyList<string>> FindGapsAsync(CancellationToken cancellationToken)
    {
        if (await ReadAsync(cancellationToken) is not { State: not FenceState.Open })
        {
            return [];
        }

        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await ClosedFence.FindGapsAsync(connection, migration, token: null, Fence.Tables, cancellationToken);
    }

    /// <summary>An attempt that waits for its tables' locks now, with who holds them: TimedOut <c>fence-waits</c>. Null where none does.</summary>
    public Task<Fault?> FindWaitAsync(CancellationToken cancellationToken) => FenceBlockers.FindWaitAsync(database, Fence.Tables, cancellationToken);

    /// <summary>What would keep this side from being closed, or could write past its fence (<see cref="FenceReadiness"/>).</summary>
    /// <param name="side">What it is called in messages: <c>source</c> or <c>target</c>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<IReadOnlyList<Finding>> CheckAsync(string side, CancellationToken cancellationToken) => FenceReadiness.CheckAsync(database, side, migration, Fence.Tables, cancellationToken);

    /// <summary>SQL with which <c>psql</c> alone lifts what is on this side now, as far as it may be lifted (<see cref="FenceScript"/>).</summary>
    public Task<string> LiftScriptAsync(CancellationToken cancellationToken) => LiftScriptAsync(other: null, terms: null, cancellationToken);

    /// <summary>The same, where the other side's row is known: an older copy of a side that was left is not opened beside it, and a side for which the other one was left is.</summary>
    /// <param name="other">The other side's row.</param>
    /// <param name="terms">What it was left with, where it was left for this one.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<string> LiftScriptAsync(FenceRecord? other, OpeningTerms? terms, CancellationToken cancellationToken) => await ReadAsync(cancellationToken) switch
    {
        { } record when record.IsOlderThan(other) => FenceScript.Lift(record with { State = FenceState.Sealed }, migration, Fence.Tables),
        { } record when other is not null && other.IsLeftFor(record) => FenceScript.Open(other, migration, Fence.Tables, terms),
        var record => FenceScript.Lift(record, migration, Fence.Tables),
    };

    /// <summary>Notes that applications were told to write here. Nothing where a later attempt has had the side since.</summary>
    public async Task NoteRoutedAsync(string token, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("update cdc_migrator.fence_state set routed = $2 where migration = $1 and token = $2 and state = 'open'");
        command.Parameters.Add(new NpgsqlParameter { Value = migration });
        command.Parameters.Add(new NpgsqlParameter { Value = token });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
