using CdcMigrator.Cutover;
using CdcMigrator.Cutover.Predicting;
using CdcMigrator.Cutover.Routing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Runtime;

namespace CdcMigrator.Service.Switching;

/// <summary>
/// Measures the parts of an outage before anything is closed: markers go both ways several times, their commits show what a transaction takes on each side, and hooks are known by
/// earlier attempts. A way back that does not work is found here. Writes markers, and nothing else.
/// </summary>
/// <param name="along">The runtime of the direction.</param>
/// <param name="way">The way back, as far as the attempt wants one.</param>
/// <param name="sides">Both databases.</param>
/// <param name="options">What the attempt goes by.</param>
/// <param name="hooks">What routes applications.</param>
/// <param name="pace">The connector's settings, as far as they are known.</param>
/// <param name="time">Clock.</param>
internal sealed class OutageMeasuring(MigrationRuntime along, ReturnStart way, Sides sides, CutoverOptions options, RoutingHooks hooks, ConnectorPace? pace, TimeProvider time)
{
    private const int Rounds = 3;

    /// <summary>Transactions that a close takes at least: the relations are read, then locked, read again, fenced and noted.</summary>
    private const int CommitsOfClose = 3;

    /// <summary>What a table takes under the locks of a close or an opening, without and with writers (docs/benchmarks.md: 1,000 tables).</summary>
    private static readonly MeasuredTime PerTable = new(TimeSpan.FromMicroseconds(50), TimeSpan.FromMicroseconds(250));

    /// <summary>Until the reconciler, which is woken, has taken a turn over keys that are settled: one under way has to end first.</summary>
    private static readonly MeasuredTime Turn = new(TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(300));

    /// <summary>Keys compared in a second; when busy, a third (docs/benchmarks.md).</summary>
    private const double KeysPerSecond = 95_000;
    private const double KeysPerSecondWhenBusy = KeysPerSecond / 3;

    private readonly MigrationDefinition definition = along.Definition;

    /// <summary>Goes both ways, and adds what is known.</summary>
    /// <exception cref="FaultException">TimedOut <c>not-drained</c>: a marker did not get through. Unreachable: a side does not answer.</exception>
    public async Task<OutagePrediction> MeasureAsync(CancellationToken cancellationToken)
    {
        var (left, taking) = (sides.LeftDatabase(definition.Direction), sides.TakingDatabase(definition.Direction));
        List<TimeSpan> commitsLeft = [], commitsTaking = [], there = [], home = [];
        for (var round = 0; round < Rounds; round++)
        {
            var began = time.GetTimestamp();
            var marker = await Sides.AskAsync(() => FenceTable.WriteMarkerAsync(left, cancellationToken));
            commitsLeft.Add(time.GetElapsedTime(began));
            began = time.GetTimestamp();
            var drained = await Sides.AskAsync(() => along.DrainAsync(marker.Id, marker.Lsn, options.Deadlines.Draining, cancellationToken));
            there.Add(time.GetElapsedTime(began));
            if (!drained.Drained)
            {
                throw new FaultException(FaultKind.TimedOut, "not-drained", $"A marker did not get through in {options.Deadlines.Draining.TotalSeconds:0} s; it waits for {drained.WaitingFor}", drained.FixOf(pace));
            }

            began = time.GetTimestamp();
            marker = await Sides.AskAsync(() => FenceTable.WriteMarkerAsync(taking, cancellationToken));
            commitsTaking.Add(time.GetElapsedTime(began));
            began = time.GetTimestamp();
            if (await way.TryAsync(marker, cancellationToken) is not null)
            {
                home.Add(time.GetElapsedTime(began));
            }
        }

        var (commitLeft, commitTaking) = (MeasuredTime.Of(commitsLeft), MeasuredTime.Of(commitsTaking));
        var states = await along.Verification.Store.ReadTablesAsync(cancellationToken);
        var keys = states.Values.Sum(known => known.State.DirtyKeys + (long)known.State.Pending.Count);
        var unmeasured = new List<string>();
        var times = await Sides.AskAsync(() => HookTimes.ReadAsync(left, definition.Name, cancellationToken));
        return OutagePrediction.Of(new OutageMeasures
        {
            Pause = times.Of(hooks, HookMoment.BeforeFence, unmeasured),
            Fence = Times(commitLeft, CommitsOfClose).Plus(Times(PerTable, definition.Tables.Count)),
            Confirm = way.NoReturn is null ? MeasuredTime.Of(there).Plus(MeasuredTime.Of(home)) : MeasuredTime.Of(there),

            // What was behind had to be applied before a marker counted as drained.
            Drain = new RemainingWork(0, 1, 1),
            Verify = new RemainingWork(keys, KeysPerSecond, KeysPerSecondWhenBusy),
            Beat = Turn,
            Sequences = await SequencesAsync(commitTaking, cancellationToken),
            Seal = Times(commitLeft, 2),
            Open = Times(commitTaking, 2).Plus(Times(PerTable, definition.Tables.Count)),
            Route = times.Of(hooks, HookMoment.AfterOpen, unmeasured),
            HooksNotMeasured = [.. unmeasured.Distinct(StringComparer.Ordinal)],
        });
    }

    private async Task<MeasuredTime> SequencesAsync(MeasuredTime commit, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var found = await sides.SequencesAsync(definition.Direction, cancellationToken);
        var read = time.GetElapsedTime(began);

        // Read once more behind the fence, and moved by one statement.
        return new MeasuredTime(read, read).Plus(commit).Plus(Times(PerTable, found.Count));
    }

    private static MeasuredTime Times(MeasuredTime one, int count) => new(one.P50 * count, one.P99 * count);
}
