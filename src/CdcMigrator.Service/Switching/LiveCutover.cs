using CdcMigrator.Cutover;
using CdcMigrator.Cutover.Draining;
using CdcMigrator.Cutover.Predicting;
using CdcMigrator.Cutover.Routing;
using CdcMigrator.Cutover.Switching;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Reporting;
using CdcMigrator.Service.Runtime;

namespace CdcMigrator.Service.Switching;

/// <summary>What an attempt does, on the real sides.</summary>
/// <param name="along">The runtime of the direction: it drains and compares.</param>
/// <param name="back">The runtime of the other one, which is turned on with the seal.</param>
/// <param name="sides">Both databases.</param>
/// <param name="options">What it goes by.</param>
/// <param name="hooks">What routes applications.</param>
/// <param name="time">Clock.</param>
internal sealed class LiveCutover(MigrationRuntime along, MigrationRuntime back, Sides sides, CutoverOptions options, RoutingHooks hooks, TimeProvider time) : ICutoverActions, IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan GatePause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan GatePatience = TimeSpan.FromSeconds(10);

    /// <summary>Beyond the lease nobody can seal: a session that holds the opening so long without a word is of no use to anybody.</summary>
    private static readonly TimeSpan OpeningGrace = TimeSpan.FromSeconds(5);
    private readonly MigrationDefinition definition = along.Definition;
    private readonly ReturnStart way = new(back, sides, options, time);
    private readonly SideOpening opening = new(sides.Taking(along.Definition.Direction), sides.Left(along.Definition.Direction), options.Lease + OpeningGrace);
    private readonly HeldApplications applications = new(sides.Left(along.Definition.Direction), options, hooks, time);
    private (SourceIdentity Left, SourceIdentity Taking) servers;
    private IReadOnlyList<WaiverReport> waived = [];
    private OpeningTerms? proven;
    private FencedSide Left => sides.Left(definition.Direction);
    private FencedSide Taking => sides.Taking(definition.Direction);

    /// <summary>What was predicted of the outage before the fence; null before.</summary>
    public OutagePrediction? Prediction { get; private set; }

    /// <summary>The embedded log has no connector whose settings could be changed.</summary>
    public ConnectorPace? Pace => definition.Log.Kind == LogKind.Embedded ? new ConnectorPace(Pause, Pause, Pause) : null;

    /// <inheritdoc />
    public async Task<string> PrepareAsync(CutoverAttempt attempt, CancellationToken cancellationToken)
    {
        await along.Pauses.RefuseAsync(cancellationToken);
        await RequireGateAsync(cancellationToken);
        await along.Evidence().RequirePublishedAsync(cancellationToken);
        await FenceChecks.RefuseAsync(sides, definition, cancellationToken);
        await (definition.Direction == MigrationDirection.Forward ? WayBackChecks.RefuseBeforeLeavingAsync(definition, sides, cancellationToken) : Task.CompletedTask);
        var alone = await FenceChecks.RefuseSequencesAsync(sides, definition.Direction, cancellationToken);
        if (await hooks.CheckAsync(cancellationToken) is [var broken, ..])
        {
            throw new FaultException(broken);
        }

        servers = await IdentitiesAsync(cancellationToken);

        // The first time takes longer than all later ones together: not behind the fence.
        _ = Evidence(new CutoverReport { Attempt = attempt });
        way.Begin(attempt.Return);
        Prediction = await new OutageMeasuring(along, way, sides, options, hooks, Pace, time).MeasureAsync(cancellationToken);
        return Prediction.Refuse(options.Budget, Pace) is { } refusal
            ? throw new FaultException(FaultKind.NotAllowed, "over-budget", refusal.Message, refusal.Fix)
            : $"the gate is open{(waived.Count == 0 ? "" : $" ({string.Join(", ", waived.Select(waiver => $"{waiver.Criterion} waived by {waiver.By}"))})")}, {(way.NoReturn is { } none ? $"without a way back ({none})" : "both ways work")}; predicted outage {OutagePrediction.Text(Prediction.Total.P99)}, half take less than {OutagePrediction.Text(Prediction.Total.P50)}"
                + (Prediction.HooksNotMeasured.Count == 0 ? "" : $"; without hooks that never ran: {string.Join(", ", Prediction.HooksNotMeasured)}")
                + string.Concat(alone.Select(finding => $"; {finding.Message}"));
    }

    /// <inheritdoc />
    public Task<string> HoldAsync(CutoverAttempt attempt, Action<HookOutcome> tell, CancellationToken cancellationToken) => applications.WaitAsync(Context(attempt), tell, cancellationToken);

    /// <inheritdoc />
    public async Task<FencePosition> CloseAsync(CutoverAttempt attempt, TimeSpan lease, CancellationToken cancellationToken)
    {
        var marker = await applications.CloseAsync(
            Context(attempt),
            async stop =>
            {
                // One that came since the gate was looked at: nothing would be drained.
                await along.Pauses.RefuseAsync(stop);
                return await Left.CloseAsync(attempt.Token, attempt.Epoch, lease, stop);
            },
            cancellationToken);
        await DisposeAsync();
        return new FencePosition(marker.Id, marker.Lsn);
    }

    /// <inheritdoc />
    public Task<bool> RenewAsync(CutoverAttempt attempt, TimeSpan lease, CancellationToken cancellationToken) =>
        Sides.AskAsync(() => Left.RenewAsync(attempt.Token, lease, cancellationToken));

    /// <inheritdoc />
    public async Task<DrainReport> DrainAsync(FencePosition fence, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var draining = Sides.AskAsync(() => along.DrainAsync(fence.Marker, fence.Lsn, timeout, over.Token));
        try
        {
            // A pause that waited for a batch in flight, in whichever process, may come after the fence: then nothing is drained, and writes need not wait for the deadline to hear it.
            for (var isOver = false; !isOver;)
            {
                isOver = await Task.WhenAny(draining, Task.Delay(GatePause, time, over.Token)) == draining;
                if (await along.Pauses.TryReadAsync(over.Token) is { } pause)
                {
                    throw new FaultException(FaultKind.NotAllowed, "paused", $"The migration is {pause}", "'cdcm resume' has it go on; then try again");
                }
            }

            return await draining;
        }
        finally
        {
            await over.CancelAsync();
            await draining.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    /// <inheritdoc />
    public async Task<CutoverProof> ProveAsync(CutoverAttempt attempt, DrainReport drained, CancellationToken cancellationToken)
    {
        // Everything is in the target by now, so that nothing of this direction is committed there behind the marker.
        using var first = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var start = way.FindAsync(first.Token);
        var sequences = sides.AdvanceSequencesAsync(definition.Direction, options.SequenceMargin, first.Token);
        var tables = Sides.AskAsync(() => UntilEqualAsync(drained, first.Token));
        await FirstFault.WhenAllAsync(first, start, sequences, tables, along.Evidence().RequirePublishedAsync(first.Token), FenceChecks.ProveDeniedAsync(Left, options.AppRoles, first.Token));
        var (marker, begin) = await start;
        proven = along.Evidence().TermsOf(drained, marker?.Marker);

        // Behind the seal nothing is undone: what would keep the other side from being opened is taken right before, and kept.
        await opening.HoldAsync(attempt, cancellationToken);
        await (attempt.Rehearsal ? opening.LetGoAsync() : Task.CompletedTask);
        return new CutoverProof(await tables, [.. (await sequences).Select(sequence => sequence.ToString())], begin, marker) { NoReturn = way.NoReturn };
    }

    /// <inheritdoc />
    public async Task<bool> SealAsync(CutoverReport report, CancellationToken cancellationToken)
    {
        var attempt = report.Attempt;

        // The last look: a pause that comes behind it sees the seal, and is taken back.
        await along.Pauses.RefuseAsync(cancellationToken);
        if (await IdentitiesAsync(cancellationToken) != servers)
        {
            throw new FaultException(
                FaultKind.NotAllowed, "another-server", "A side was promoted or restored during the attempt: what was proven was proven of another history", "Look at the failover first: 'cdcm status', 'cdcm preflight'");
        }

        var terms = await opening.TermsAsync(attempt, proven!, cancellationToken);
        var kept = new SealedReport(attempt.Actor, Evidence(report with { Phase = CutoverPhase.Sealed }));
        return await Sides.AskAsync(() => Left.SealAsync(attempt.Token, CutoverOptions.SealMargin, report.Proof!.Back, terms, kept, cancellationToken));
    }

    /// <inheritdoc />
    public async Task<string> OpenAsync(CutoverAttempt attempt, CancellationToken cancellationToken)
    {
        if (await opening.OpenAsync(attempt, cancellationToken) is { } outcome)
        {
            return outcome;
        }

        await RequireOpenAsync(Taking, attempt, routing: false, cancellationToken);
        return "writes are taken";
    }

    /// <inheritdoc />
    public async Task<bool> UndoAsync(CutoverAttempt attempt, CancellationToken cancellationToken)
    {
        // Where it is sealed after all, the answer was lost only: what is held is still to be opened with.
        var undone = await Sides.AskAsync(() => Left.UndoAsync(attempt.Token, onlyForsaken: false, cancellationToken));
        await (undone ? opening.LetGoAsync() : Task.CompletedTask);
        return undone;
    }

    /// <inheritdoc />
    public async Task<FenceRecord> ReadAsync(CutoverAttempt attempt, CancellationToken cancellationToken) =>
        await Sides.AskAsync(() => Left.ReadAsync(cancellationToken)) ?? throw new FaultException(FaultKind.Internal, "no-fence-row", "The side that is left has no fence row any more");

    /// <inheritdoc />
    public async Task<string> RouteAsync(CutoverAttempt attempt, Action<HookOutcome> tell, CancellationToken cancellationToken)
    {
        var done = 0;
        await hooks.AfterOpenAsync(
            Context(attempt),
            async outcome =>
            {
                tell(outcome);
                done += outcome.Succeeded ? 1 : 0;
                await RequireOpenAsync(Taking, attempt, routing: true, cancellationToken);
            },
            cancellationToken);

        // Where it is not noted, because the side is away, another process tells applications once more.
        await Sides.QuietAsync(() => RouteKeeping.NoteRoutedAsync(Taking, attempt.Token, cancellationToken));
        return done == 0 ? "applications may go there" : $"applications were sent there by {done} hooks";
    }

    /// <inheritdoc />
    public async Task RouteBackAsync(CutoverAttempt attempt, Action<HookOutcome> tell, CancellationToken cancellationToken)
    {
        await opening.LetGoAsync();
        await applications.LetGoAsync(Context(attempt), tell, cancellationToken);
    }

    /// <inheritdoc />
    public Task NoteAsync(CutoverReport report, CancellationToken cancellationToken) => sides.NoteAsync(definition.Direction, report, Prediction, waived, cancellationToken);

    private string Evidence(CutoverReport report) => JournaledAttempt.Of(report, Prediction, servers.Left.ToString(), servers.Taking.ToString(), waived).ToJson();

    /// <summary>A lane that tries again, or is behind for a moment, is waited for; whatever else is closed is refused at once.</summary>
    private async Task RequireGateAsync(CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            var gate = Gate.Of(definition, await along.StatusWithFindingsAsync(cancellationToken), time.GetUtcNow());
            if (gate.Open)
            {
                waived = [.. gate.Criteria.Select(criterion => criterion.Waiver).OfType<WaiverReport>()];
                return;
            }

            var closed = gate.Criteria.Where(criterion => criterion.Closes).ToList();
            if (closed.Any(criterion => criterion.Name is not ("lanes" or "lag" or "dirtyKeys")) || time.GetElapsedTime(began) > GatePatience)
            {
                throw new FaultException(
                    FaultKind.NotAllowed, "gate-closed", $"The gate is closed: {string.Join("; ", closed.Select(criterion => $"{criterion.Name} is {criterion.Measured}, allowed {criterion.Allowed}"))}",
                    "'cdcm cutover check' shows every criterion and what to do");
            }

            await Task.Delay(GatePause, time, cancellationToken);
        }
    }

    /// <summary>Waits until every change before the ends of the drain proof was compared, and equal, in every table.</summary>
    private async Task<IReadOnlyList<TableProof>> UntilEqualAsync(DrainReport drained, CancellationToken cancellationToken)
    {
        var ends = drained.Lanes.ToLookup(lane => lane.Topic, StringComparer.Ordinal);
        while (true)
        {
            var known = await along.Verification.ReadTablesAsync(cancellationToken);
            var open = new List<TableName>();
            var proofs = new List<TableProof>();
            foreach (var table in definition.Tables.Select(table => table.Source))
            {
                var state = known.GetValueOrDefault(table);
                var read = state is not null && ends[EmbeddedLog.TopicOf(definition.Log.TopicPrefix, table)]
                    .All(lane => lane.EndOffset == 0 || state.VerifiedOffsets.GetValueOrDefault(lane.Partition) >= lane.EndOffset);
                if (state is null || !read || state.Pending.Count > 0 || state.DirtyKeys > 0)
                {
                    open.Add(table);
                    continue;
                }

                if (state is { Wrong.Count: 0, WrongTruncated: false, Verdict: not (Verdict.Mismatch or Verdict.Unverifiable) } and not { Covered: true, CoveredAt: not null, Verdict: Verdict.Equal })
                {
                    // A step that failed in passing is made again; what is not known until the deadline is not proven.
                    open.Add(table);
                    continue;
                }

                if (state is not { Covered: true, CoveredAt: { } compared, Verdict: Verdict.Equal, WrongTruncated: false, Wrong.Count: 0 })
                {
                    throw new FaultException(new Fault(
                        FaultKind.NotAllowed, "not-equal", $"Table {table} is {state.Verdict} behind the fence: {state.Wrong.Count} rows are wrong{(state.Reason is { } reason ? $" ({reason})" : "")}",
                        "'cdcm verify show' names the rows; 'cdcm tables repair' mends them")
                    { Table = table.ToString() });
                }

                proofs.Add(new TableProof(table.ToString(), compared, state.RowsSource, state.EqualAt, state.VerifiedOffsets));
            }

            if (open.Count == 0)
            {
                return proofs;
            }

            // Whichever process compares: writes wait for its next turn.
            await along.Verification.Store.WakeAsync(cancellationToken);
            await Task.Delay(Pause, time, cancellationToken);
        }
    }

    /// <summary>Nobody is sent to a side that a later attempt has left again.</summary>
    /// <param name="side">The side that took over.</param>
    /// <param name="attempt">The attempt.</param>
    /// <param name="routing">Whether one that makes applications wait, to leave that side, counts as later too.</param>
    /// <param name="cancellationToken">Gives up.</param>
    private static async Task RequireOpenAsync(FencedSide side, CutoverAttempt attempt, bool routing, CancellationToken cancellationToken)
    {
        if (await Sides.AskAsync(() => side.ReadAsync(cancellationToken)) is not { State: FenceState.Open } record || record.Token != attempt.Token || (routing && record.Held.Length > 0))
        {
            throw new FaultException(FaultKind.NotAllowed, "overtaken", "A later attempt has turned the migration since: nothing of this one counts any more", "'cdcm cutover status' shows both sides");
        }
    }

    /// <summary>The attempt is over, whatever its end: a note that is left runs out, and another process lets applications go.</summary>
    public async ValueTask DisposeAsync()
    {
        await opening.DisposeAsync();
        await applications.DisposeAsync();
    }

    /// <summary>System identifiers and timelines of both sides.</summary>
    private Task<(SourceIdentity Left, SourceIdentity Taking)> IdentitiesAsync(CancellationToken cancellationToken) => Sides.AskAsync(async () => (
        await SourceIdentity.ReadAsync(sides.LeftDatabase(definition.Direction), cancellationToken),
        await SourceIdentity.ReadAsync(sides.TakingDatabase(definition.Direction), cancellationToken)));

    private HookContext Context(CutoverAttempt attempt) => new(
        definition.Name, attempt.Token, attempt.Epoch, attempt.Direction, RouteEnds.Of(definition.Source), RouteEnds.Of(definition.Target));
}
