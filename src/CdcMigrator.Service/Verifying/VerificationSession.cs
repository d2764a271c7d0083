using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Comparing;
using CdcMigrator.Service.Runtime;

namespace CdcMigrator.Service.Verifying;

/// <summary>
/// The reconciler at work: one reader of the log and the verifications it feeds, over tables whose shape does not change meanwhile. Each step is kept
/// before the next begins, so that another process goes on where this one ends.
/// </summary>
internal sealed class VerificationSession(
    ReconcilerParts parts, long owner, ChangeFollower follower, CheckRunner checks, IReadOnlyList<VerifiedTable> tables, int parallel, int keysAStep, TimeProvider time, ILogger log) : IAsyncDisposable
{
    private const string Copying = "held: the table is being copied; the comparison goes on by itself when that is done ('cdcm tables')";
    private const long MostOpenChanges = 1_000_000;
    private static readonly TimeSpan CatalogInterval = TimeSpan.FromSeconds(10);
    private readonly VerificationStore store = parts.Store;
    private readonly SemaphoreSlim beating = new(1, 1);
    private readonly CancellationTokenSource ending = new();
    private Task checking = Task.CompletedTask;
    private static readonly TimeSpan RenewInterval = TimeSpan.FromSeconds(2);
    private long beatAt;
    private long renewedAt;
    private bool wasHeld;
    private long catalogAt = time.GetTimestamp();

    /// <summary>How often it gives a sign of life.</summary>
    public static TimeSpan BeatInterval { get; } = TimeSpan.FromSeconds(2);

    /// <summary>What is known of the tables now.</summary>
    public IEnumerable<TableState> States => tables.Select(table => table.Verification.State);

    /// <summary>What keeps the log from being read.</summary>
    public Fault? Fault => follower.Fault;

    /// <summary>One turn over all tables.</summary>
    /// <returns>Whether something is under way, so that the next turn should follow at once.</returns>
    /// <exception cref="FaultException">LogBroken: the session has to begin anew. Others: the target cannot be asked.</exception>
    public async Task<bool> TurnAsync(CancellationToken cancellationToken)
    {
        if (follower.Fault is { Kind: FaultKind.LogBroken } broken)
        {
            throw new FaultException(broken);
        }

        await BeatAsync(cancellationToken);
        if (parts.Held is { } reason)
        {
            // Nothing is read meanwhile: when it is over a new session begins to read where the target is by then.
            follower.IsPaused = wasHeld = true;
            await HoldAsync(tables, reason, await store.ReadRunningAsync(cancellationToken), cancellationToken);
            return false;
        }

        if (checking.IsCompleted)
        {
            // Beside the tables: a check may take as long as reading all of them.
            await checking;
            checking = checks.RunAsync(ending.Token);
        }

        // A target far behind: what it has yet to apply need not be remembered before it does.
        follower.IsPaused = tables.Sum(table => (long)table.OpenChanges) > MostOpenChanges;
        if (follower.IsPaused)
        {
            foreach (var table in tables.Where(table => table.OpenChanges > 0))
            {
                await table.Verification.SettleAsync(cancellationToken);
            }

            return false;
        }

        var running = await store.ReadRunningAsync(cancellationToken);
        await RenewAsync(running, cancellationToken);
        foreach (var table in tables)
        {
            Begin(table, running);
        }

        await RefuseUnknownAsync(running, cancellationToken);

        var copying = await parts.Copying(cancellationToken);
        await HoldAsync([.. tables.Where(table => copying.Contains(table.Verification.State.Table))], Copying, running, cancellationToken);
        var read = follower.Positions.GroupBy(lane => lane.Key.Topic).ToDictionary(topic => topic.Key, topic => (IReadOnlyDictionary<int, long>)topic.ToDictionary(lane => lane.Key.Partition, lane => lane.Value));
        var busy = 0;
        await Parallel.ForEachAsync(tables.Where(table => !copying.Contains(table.Verification.State.Table)), new ParallelOptions { MaxDegreeOfParallelism = parallel, CancellationToken = cancellationToken }, async (table, token) =>
        {
            if (await StepAsync(table, running, read.GetValueOrDefault(table.Topic) ?? new Dictionary<int, long>(), token))
            {
                Interlocked.Increment(ref busy);
            }
        });
        return busy > 0;
    }

    /// <summary>
    /// Whether the tables are other ones than when the session began (columns came or went, a key changed, a topic came up or was made again), or an initial snapshot that held it is over.
    /// </summary>
    public async Task<bool> IsOutdatedAsync(CancellationToken cancellationToken)
    {
        if (wasHeld && parts.Held is null)
        {
            return true;
        }

        if (time.GetElapsedTime(catalogAt) < CatalogInterval)
        {
            return false;
        }

        catalogAt = time.GetTimestamp();
        var compared = await parts.Tables(cancellationToken);
        var shapes = await TableShape.ReadAsync(compared, parts, cancellationToken);
        var now = compared.Select(table => VerifiedTable.ShapeOf(table, shapes[table.Source]));
        return !now.Order(StringComparer.Ordinal).SequenceEqual(tables.Select(table => table.Shape).Order(StringComparer.Ordinal));
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        await checking.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        ending.Dispose();
        beating.Dispose();
        await follower.DisposeAsync();
    }

    /// <summary>
    /// The gate of the way back must be open at any time of the window: what was compared is compared again before it counts no more. In either direction what was compared before
    /// the source was read anew is compared again.
    /// </summary>
    private async Task RenewAsync(IReadOnlyList<VerificationRun> running, CancellationToken cancellationToken)
    {
        if (running.Count > 0 || (renewedAt != 0 && time.GetElapsedTime(renewedAt) < RenewInterval))
        {
            return;
        }

        renewedAt = time.GetTimestamp();
        var last = await store.ReadRunsAsync(1, cancellationToken) is [var one] ? one : null;
        var back = parts.Definition.Direction == MigrationDirection.Back;
        if (back ? PassRenewal.IsDue([.. States], last, parts.Definition.Cutover.VerifiedWithin, parts.ReaderSince(), time.GetUtcNow()) : PassRenewal.IsOvertaken([.. States], last, parts.ReaderSince(), time.GetUtcNow()))
        {
            await store.RequestAsync([.. parts.Definition.Tables], back ? "window" : "reader", cancellationToken);
        }
    }

    /// <summary>
    /// Every other second: that it works, and how far its reader is, with the keys that it met since a table's state was kept. May be called beside a turn.
    /// </summary>
    public async Task BeatAsync(CancellationToken cancellationToken)
    {
        await beating.WaitAsync(cancellationToken);
        try
        {
            if (beatAt != 0 && time.GetElapsedTime(beatAt) < BeatInterval)
            {
                return;
            }

            beatAt = time.GetTimestamp();
            var behind = await follower.BehindAsync(cancellationToken) + tables.Sum(table => table.Untold);
            await store.BeatAsync(behind, (follower.Fault ?? tables.Select(table => table.Fault).FirstOrDefault(fault => fault is not null))?.Message, owner, cancellationToken);
        }
        finally
        {
            beating.Release();
        }
    }

    /// <summary>Begins what is asked for, and keeps why it does not go on.</summary>
    private async Task HoldAsync(IReadOnlyList<VerifiedTable> held, string reason, IReadOnlyList<VerificationRun> running, CancellationToken cancellationToken)
    {
        foreach (var table in held)
        {
            Begin(table, running);
            if (table.Verification.IsRunning)
            {
                table.Verification.Wait(reason);
            }

            await table.SaveAsync(store, owner, cancellationToken);
        }
    }

    /// <summary>A table that was asked for and is not in the migration file any more would keep its run from ever ending.</summary>
    private async Task RefuseUnknownAsync(IReadOnlyList<VerificationRun> running, CancellationToken cancellationToken)
    {
        foreach (var run in running)
        {
            foreach (var asked in run.Tables.Where(result => result.Verdict is null && !tables.Any(table => table.Verification.State.Table == result.Source)))
            {
                await store.NoteAsync(run.Run, asked with { Verdict = Verdict.Unverified, Reason = "the migration file of the process that compares does not name the table" }, owner, cancellationToken);
            }
        }
    }

    private static void Begin(VerifiedTable table, IReadOnlyList<VerificationRun> running)
    {
        var state = table.Verification.State;
        if (table.Verification.IsRunning && running.All(run => run.Run != state.Run))
        {
            table.Verification.Stop();
        }

        if (!table.Verification.IsRunning && running.FirstOrDefault(run => Asks(run, state.Table) && run.Run != state.Run) is { } next)
        {
            table.Verification.Begin(next.Run);
        }
    }

    private static bool Asks(VerificationRun run, TableName table) => run.Tables.Any(result => result.Source == table && result.Verdict is null);

    private async Task<bool> StepAsync(VerifiedTable table, IReadOnlyList<VerificationRun> running, IReadOnlyDictionary<int, long> read, CancellationToken cancellationToken)
    {
        var verification = table.Verification;
        var isFarBehind = parts.Lag() > parts.Definition.Verify.PauseAboveLag;
        try
        {
            if (verification.IsRunning && isFarBehind)
            {
                verification.Wait($"waits for the lanes, which are more than verify.pauseAboveLag ({parts.Definition.Verify.PauseAboveLag.TotalSeconds:0} s) behind");
            }
            else if (verification.IsRunning)
            {
                await verification.StepPassAsync(cancellationToken);
            }

            if (table.NeedsKeys)
            {
                await verification.StepKeysAsync(keysAStep, cancellationToken);
            }
            else
            {
                await verification.NoteReadAsync(read, cancellationToken);
            }

            table.Fault = null;
        }
        catch (FaultException exception) when (exception.Fault.Kind != FaultKind.LogBroken)
        {
            if (table.Fault?.ToString() != exception.Fault.ToString())
            {
                RuntimeLog.SampleFailed(log, $"verification of {verification.State.Table}", exception.Fault);
            }

            table.Fault = exception.Fault;
            verification.Fail(exception.Fault.Message);
        }

        await table.SaveAsync(store, owner, cancellationToken);
        var state = verification.State;
        if (state.Phase == TablePhase.Done && running.Any(run => run.Run == state.Run && Asks(run, state.Table)))
        {
            // Behind what is kept: a process that dies here leaves a state from which the result is noted again.
            await store.NoteAsync(state.Run, table.Result(), owner, cancellationToken);
        }

        return verification.IsRunning && !verification.IsWaiting && table.Fault is null && !isFarBehind;
    }
}
