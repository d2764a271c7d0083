using CdcMigrator.Cutover;
using CdcMigrator.Cutover.Draining;
using CdcMigrator.Cutover.Routing;
using CdcMigrator.Cutover.Switching;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded;
using CdcMigrator.Postgres.Fencing;
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
internal sealed class LiveCutover(MigrationRuntime along, MigrationRuntime back, Sides sides, CutoverOptions options, RoutingHooks hooks, TimeProvider time) : ICutoverActions
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan GatePause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan GatePatience = TimeSpan.FromSeconds(10);
    private readonly MigrationDefinition definition = along.Definition;
    private (SourceIdentity Left, SourceIdentity Taking) servers;
    private FencedSide Left => sides.Left(definition.Direction);
    private FencedSide Taking => sides.Taking(definition.Direction);

    /// <summary>What the parts of the outage took when they were tried before the fence; null before.</summary>
    public OutageTrial? Trial { get; private set; }

    /// <inheritdoc />
    public async Task<string> PrepareAsync(CutoverAttempt attempt, CancellationToken cancellationToken)
    {
        await RequireGateAsync(cancellationToken);
        await FenceChecks.RefuseAsync(sides, definition, cancellationToken);
        if (await hooks.CheckAsync(cancellationToken) is [var broken, ..])
        {
            throw new FaultException(broken);
        }

        servers = await IdentitiesAsync(cancellationToken);
        Trial = await TryAsync(cancellationToken);
        return Trial.Total <= definition.Cutover.Budget
            ? $"the gate is open, both ways work; predicted outage {Trial.Total.TotalMilliseconds:0} ms"
            : throw new FaultException(
                FaultKind.NotAllowed, "over-budget", $"The predicted write outage is {Trial.Total.TotalMilliseconds:0} ms ({Trial}), the budget {definition.Cutover.Budget.TotalMilliseconds:0} ms",
                "Make what takes longest faster (heartbeat.interval.ms and poll.interval.ms of the connectors, offset.flush.interval.ms of the workers), or raise cutover.budget");
    }

    /// <inheritdoc />
    public async Task<string> HoldAsync(CutoverAttempt attempt, Action<HookOutcome> tell, CancellationToken cancellationToken)
    {
        var outcomes = await hooks.BeforeFenceAsync(Context(attempt), cancellationToken);
        foreach (var outcome in outcomes)
        {
            tell(outcome);
        }

        return outcomes is [.., { Fault: { } fault }] ? throw new FaultException(fault) : outcomes.Count == 0 ? "no hooks" : $"{outcomes.Count} hooks";
    }

    /// <inheritdoc />
    public Task<FencePosition> CloseAsync(CutoverAttempt attempt, TimeSpan lease, CancellationToken cancellationToken) => Sides.AskAsync(async () =>
    {
        var marker = await Left.CloseAsync(attempt.Token, attempt.Epoch, lease, cancellationToken);
        return new FencePosition(marker.Id, marker.Lsn);
    });

    /// <inheritdoc />
    public Task<bool> RenewAsync(CutoverAttempt attempt, TimeSpan lease, CancellationToken cancellationToken) =>
        Sides.AskAsync(() => Left.RenewAsync(attempt.Token, lease, cancellationToken));

    /// <inheritdoc />
    public Task<DrainReport> DrainAsync(FencePosition fence, TimeSpan timeout, CancellationToken cancellationToken) =>
        Sides.AskAsync(() => along.DrainAsync(fence.Marker, fence.Lsn, timeout, cancellationToken));

    /// <inheritdoc />
    public async Task<CutoverProof> ProveAsync(CutoverAttempt attempt, DrainReport drained, CancellationToken cancellationToken)
    {
        // Everything is in the target by now, so that nothing of this direction is committed there behind the marker.
        var start = ReadStartAsync(cancellationToken);
        var sequences = Sides.AskAsync(() => Sequences.AdvanceAsync(
            sides.LeftDatabase(definition.Direction), sides.TakingDatabase(definition.Direction), Schemas(), options.SequenceMargin, cancellationToken));
        var tables = Sides.AskAsync(() => UntilEqualAsync(drained, cancellationToken));
        await Task.WhenAll(start, sequences, tables, FenceChecks.ProveDeniedAsync(Left, options.AppRoles, cancellationToken));
        var (marker, begin) = await start;

        // Behind the seal nothing is undone: what would keep the other side from being opened is looked for right before.
        await Sides.AskAsync(async () =>
        {
            await Taking.Fence.RequireLocksAsync(cancellationToken);
            return true;
        });
        return new CutoverProof(await tables, [.. (await sequences).Select(sequence => sequence.ToString())], begin, new FencePosition(marker.Id, marker.Lsn));
    }

    /// <inheritdoc />
    public async Task<bool> SealAsync(CutoverAttempt attempt, CutoverProof proof, CancellationToken cancellationToken) => await IdentitiesAsync(cancellationToken) == servers
        ? await Sides.AskAsync(() => Left.SealAsync(attempt.Token, CutoverOptions.SealMargin, proof.Back, cancellationToken))
        : throw new FaultException(
            FaultKind.NotAllowed, "another-server", "A side was promoted or restored during the attempt: what was proven was proven of another history", "Look at the failover first: 'cdcm status', 'cdcm preflight'");

    /// <inheritdoc />
    public async Task OpenAsync(CutoverAttempt attempt, CancellationToken cancellationToken)
    {
        if (!await Sides.AskAsync(() => Taking.OpenAsync(attempt.Token, attempt.Epoch, cancellationToken)))
        {
            await RequireOpenAsync(Taking, attempt, cancellationToken);
        }
    }

    /// <inheritdoc />
    public Task<bool> UndoAsync(CutoverAttempt attempt, CancellationToken cancellationToken) =>
        Sides.AskAsync(() => Left.UndoAsync(attempt.Token, onlyForsaken: false, cancellationToken));

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
                if (!outcome.Succeeded)
                {
                    await RequireOpenAsync(Taking, attempt, cancellationToken);
                }
            },
            cancellationToken);
        await NoteRoutedAsync(Taking, attempt, cancellationToken);
        return done == 0 ? "applications may go there" : $"applications were sent there by {done} hooks";
    }

    /// <inheritdoc />
    public async Task RouteBackAsync(CutoverAttempt attempt, Action<HookOutcome> tell, CancellationToken cancellationToken)
    {
        foreach (var outcome in await hooks.OnAbortAsync(Context(attempt), cancellationToken))
        {
            tell(outcome);
        }

        await NoteRoutedAsync(Left, attempt, cancellationToken);
    }

    /// <inheritdoc />
    public Task NoteAsync(CutoverReport report, CancellationToken cancellationToken) => sides.NoteAsync(definition.Direction, report, Trial, cancellationToken);

    /// <summary>A lane that tries again, or is behind for a moment, is waited for; whatever else is closed is refused at once.</summary>
    private async Task RequireGateAsync(CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            var gate = Gate.Of(definition, await along.StatusWithFindingsAsync(cancellationToken), time.GetUtcNow());
            if (gate.Open)
            {
                return;
            }

            var closed = gate.Criteria.Where(criterion => criterion.State != "PASS").ToList();
            if (closed.Any(criterion => criterion.Name is not ("lanes" or "lag" or "dirtyKeys")) || time.GetElapsedTime(began) > GatePatience)
            {
                throw new FaultException(
                    FaultKind.NotAllowed, "gate-closed", $"The gate is closed: {string.Join("; ", closed.Select(criterion => $"{criterion.Name} is {criterion.Measured}, allowed {criterion.Allowed}"))}",
                    "'cdcm cutover check' shows every criterion and what to do");
            }

            await Task.Delay(GatePause, time, cancellationToken);
        }
    }

    /// <summary>Goes both ways once with a marker, before anything is closed: what it takes is what the outage will take, and a way back that does not work is found now.</summary>
    private async Task<OutageTrial> TryAsync(CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var marker = await Sides.AskAsync(() => FenceTable.WriteMarkerAsync(sides.LeftDatabase(definition.Direction), cancellationToken));
        var drained = await Sides.AskAsync(() => along.DrainAsync(marker.Id, marker.Lsn, options.Deadlines.Draining, cancellationToken));
        if (!drained.Drained)
        {
            throw new FaultException(FaultKind.TimedOut, "not-drained", $"A marker did not get through in {options.Deadlines.Draining.TotalSeconds:0} s; it waits for {drained.WaitingFor}", "'cdcm lag' and 'cdcm status' show what is slow");
        }

        var there = time.GetElapsedTime(began);
        began = time.GetTimestamp();
        await ReadStartAsync(cancellationToken);
        return new OutageTrial(there, time.GetElapsedTime(began));
    }

    private Task<(FenceMarker Marker, DirectionStart Start)> ReadStartAsync(CancellationToken cancellationToken) => Sides.AskAsync(async () =>
    {
        var marker = await FenceTable.WriteMarkerAsync(sides.TakingDatabase(definition.Direction), cancellationToken);
        return (marker, await back.Evidence().ReadStartAsync(marker, back.Definition.Tables, time, cancellationToken));
    });

    /// <summary>Waits until every change before the ends of the drain proof was compared, and equal, in every table.</summary>
    private async Task<IReadOnlyList<TableProof>> UntilEqualAsync(DrainReport drained, CancellationToken cancellationToken)
    {
        var ends = drained.Lanes.ToLookup(lane => lane.Topic, StringComparer.Ordinal);
        while (true)
        {
            var known = await along.Verification.Store.ReadTablesAsync(cancellationToken);
            var open = new List<TableName>();
            var proofs = new List<TableProof>();
            foreach (var table in definition.Tables.Select(table => table.Source))
            {
                var state = known.TryGetValue(table, out var found) ? found.State : null;
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

            await Task.Delay(Pause, time, cancellationToken);
        }
    }

    /// <summary>Nobody is sent to a side that a later attempt has left again.</summary>
    private static async Task RequireOpenAsync(FencedSide side, CutoverAttempt attempt, CancellationToken cancellationToken)
    {
        if (await Sides.AskAsync(() => side.ReadAsync(cancellationToken)) is not { State: FenceState.Open } record || record.Token != attempt.Token)
        {
            throw new FaultException(FaultKind.NotAllowed, "overtaken", "A later attempt has turned the migration since: nothing of this one counts any more", "'cdcm cutover status' shows both sides");
        }
    }

    /// <summary>Where it is not noted, another process tells applications once more.</summary>
    private static async Task NoteRoutedAsync(FencedSide side, CutoverAttempt attempt, CancellationToken cancellationToken)
    {
        try
        {
            await Sides.AskAsync(async () =>
            {
                await side.NoteRoutedAsync(attempt.Token, cancellationToken);
                return true;
            });
        }
        catch (FaultException)
        {
            // The side is away; its row says that it has not been done.
        }
    }

    /// <summary>System identifiers and timelines of both sides.</summary>
    private Task<(SourceIdentity Left, SourceIdentity Taking)> IdentitiesAsync(CancellationToken cancellationToken) => Sides.AskAsync(async () => (
        await SourceIdentity.ReadAsync(sides.LeftDatabase(definition.Direction), cancellationToken),
        await SourceIdentity.ReadAsync(sides.TakingDatabase(definition.Direction), cancellationToken)));

    private HookContext Context(CutoverAttempt attempt) => new(
        definition.Name, attempt.Token, attempt.Epoch, attempt.Direction, RouteEnds.Of(definition.Source), RouteEnds.Of(definition.Target));

    private Dictionary<string, string> Schemas() =>
        definition.Tables.GroupBy(table => table.Source.Schema, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.First().Target.Schema, StringComparer.Ordinal);
}
