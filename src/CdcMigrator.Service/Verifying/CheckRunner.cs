using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Reconciliation.Checks;
using CdcMigrator.Service.Runtime;

namespace CdcMigrator.Service.Verifying;

/// <summary>
/// Makes the checks beside the rows, one kind after the other: when a comparison is asked for, every <c>verify.checkInterval</c>, and sooner where something does not pass,
/// for that is waited for, or where the migration file asks otherwise than before; but never more than a twentieth of the time, or half of it behind a fault. Each report replaces the last one of its kind, faults included: what could not be checked is
/// not shown as it was before.
/// </summary>
internal sealed class CheckRunner(ReconcilerParts parts, long owner, IReadOnlyList<CheckedTable> tables, ChangeFollower follower, TimeProvider time, ILogger log)
{
    private const int MostOfTheTime = 20;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(15);
    private readonly VerifySection limits = parts.Definition.Verify;
    private readonly IReadOnlyDictionary<CheckKind, IReadOnlyDictionary<string, string>> questions = CheckQuestions.Of(parts.Definition);

    /// <summary>Checks until cancelled. Faults are kept with the kind they concern.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var reports = (await parts.Checks.ReadAsync(stop)).ToDictionary(report => report.Kind);
                var run = (await parts.Store.ReadRunsAsync(1, stop)) is [var last] ? last.Run : 0;
                foreach (var kind in Enum.GetValues<CheckKind>().Where(_ => parts.Held is null))
                {
                    var before = reports.GetValueOrDefault(kind)?.Against(questions[kind]);
                    if (IsDue(before, questions[kind], run, limits.CheckInterval, time.GetUtcNow()))
                    {
                        await parts.Checks.SaveAsync(await MakeAsync(kind, run, before, stop), owner, stop);
                    }
                }
            }
            catch (FaultException)
            {
                // The target does not answer, or another process compares; the session beside this loop says so.
            }
            catch (OperationCanceledException)
            {
                return;
            }

            await Task.Delay(Pause, time, stop).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    /// <summary>Whether a kind is to be checked now.</summary>
    /// <param name="before">Its last report; null for none.</param>
    /// <param name="asked">What the migration file asks of it.</param>
    /// <param name="run">The last comparison that was asked for.</param>
    /// <param name="interval">How often it is checked where nothing is asked for.</param>
    /// <param name="now">The time. A report from later than that was made by a process with another clock.</param>
    internal static bool IsDue(CheckReport? before, IReadOnlyDictionary<string, string> asked, long run, TimeSpan interval, DateTimeOffset now)
    {
        if (before is null || before.Run < run || before.Asked.Count != asked.Count || before.Against(asked).Changed.Count > 0)
        {
            return true;
        }

        var wanted = before.State == CheckState.Pass || interval < Retry ? interval : Retry;

        // What a fault ended is not worth a long rest: until it is made again nothing passes.
        var gentle = before.State == CheckState.Error ? before.Took : before.Took * MostOfTheTime;
        return before.At > now || now - before.At >= (wanted > gentle ? wanted : gentle);
    }

    /// <summary>The results with what they take over from the last look: when a thing that is undecided now was last found as it must be, unless it was found otherwise, or asked otherwise, since.</summary>
    internal static IReadOnlyList<CheckResult> Carried(IReadOnlyList<CheckResult> results, CheckReport? before)
    {
        var known = (before?.Answers ?? []).Where(result => result.State is CheckState.Pass or CheckState.InFlight).GroupBy(result => result.Name).ToDictionary(same => same.Key, same => same.First().PassedAt);
        return
        [
            .. results.Select(result => result.State == CheckState.InFlight ? result with { PassedAt = known.GetValueOrDefault(result.Name) } : result)
                .OrderBy(result => result.State == CheckState.Pass).ThenBy(result => result.Severity != Domain.Preflight.Severity.Error),
        ];
    }

    private async Task<CheckReport> MakeAsync(CheckKind kind, long run, CheckReport? before, CancellationToken stop)
    {
        var began = time.GetTimestamp();
        var report = new CheckReport { Kind = kind, At = time.GetUtcNow(), Run = run, Asked = questions[kind] };
        try
        {
            report = report with { Evidence = await PositionAsync(stop) };
            var results = Carried(await ResultsAsync(kind, stop), before);
            report = report with { Results = [.. results.Take(CheckReport.MostResults)], More = Math.Max(0, results.Count - CheckReport.MostResults) };
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // A defect in a check must not end the comparing beside it, nor be shown as anything but what it is.
            report = report with { Fault = exception is FaultException ? exception.Message : $"internal error: {exception.GetType().Name}: {exception.Message}", Results = [.. before?.Answers ?? []] };
        }

        report = report with { At = time.GetUtcNow(), Took = time.GetElapsedTime(began) };
        if (report.State is CheckState.Fail or CheckState.Error && before?.State != report.State)
        {
            RuntimeLog.CheckFailed(log, kind, report.State, report.Fault ?? string.Join(", ", report.Results.Where(result => result.Blocks).Take(5).Select(result => result.Name)));
        }

        return report;
    }

    /// <summary>Where both sides are when a check begins. Its own snapshots are as new, or newer.</summary>
    private async Task<string> PositionAsync(CancellationToken stop)
    {
        await using var source = await parts.Sides.OpenSourceAsync(stop);
        await using var target = await parts.Sides.OpenTargetAsync(stop);
        return $"source snapshot {source.View}; target progress {string.Join(", ", target.Progress.OrderBy(lane => lane.Key.ToString(), StringComparer.Ordinal).Select(lane => $"{lane.Key}:{lane.Value}"))}";
    }

    private async Task<IReadOnlyList<CheckResult>> ResultsAsync(CheckKind kind, CancellationToken stop)
    {
        var mappings = parts.Definition.Tables;
        var comparable = tables.Where(table => table.Table.Unverifiable is null).ToList();
        switch (kind)
        {
            case CheckKind.Counts:
                var counts = new CountCheck(parts.Sides, follower, time, limits.CountTolerance / 100);
                return await EachAsync(comparable, table => table.Table.Source.ToString(), table => counts.CheckAsync(table, stop));
            case CheckKind.Rules:
                var rules = new RuleCheck(parts.Sides, follower, tables, limits.RuleTimeout, time);
                return await EachAsync(parts.Definition.Rules, rule => rule.Name, rule => rules.CheckAsync(rule, stop));
            case CheckKind.Constraints:
                return await new ConstraintCheck(parts.Constraints, parts.Sides, follower, comparable, time).CheckAsync(stop);
            case CheckKind.Schema:
                return new SchemaParity(parts.Definition.Source.Kind == SourceKind.PostgreSql).Of(
                    mappings, await parts.SourceSide.ReadTablesAsync([.. mappings.Select(table => table.Source)], stop), await parts.TargetSide.ReadTablesAsync([.. mappings.Select(table => table.Target)], stop));
            case CheckKind.SchemaHistory:
                return HistoryParity.Of(await parts.SourceSide.ReadHistoryAsync(stop), await parts.TargetSide.ReadHistoryAsync(stop));
            case CheckKind.Sequences:
                return SequenceParity.Of(
                    mappings, await parts.SourceSide.ReadSequencesAsync([.. mappings.Select(table => table.Source)], stop),
                    await parts.TargetSide.ReadSequencesAsync([.. mappings.Select(table => table.Target)], stop), parts.Definition.Cutover.SequenceMargin);
            default:
                var samples = new SampleCheck(parts.Sides, follower, (double)limits.SampleConfidence / 100, (double)limits.SampleErrorRate / 100, time);
                var large = await LargeAsync(comparable, stop);
                var restarts = await new RestartWindows(parts).ReadAsync(large, stop);
                return await EachAsync(large, table => table.Table.Source.ToString(), table => samples.CheckAsync(table, restarts[table.Table.Source], stop));
        }
    }

    /// <summary>Tables worth a sample, by what a pass counted or, before the first, the source's statistics say.</summary>
    private async Task<IReadOnlyList<CheckedTable>> LargeAsync(IReadOnlyList<CheckedTable> comparable, CancellationToken stop)
    {
        var states = await parts.Store.ReadTablesAsync(stop);
        return
        [
            .. comparable.Select(table => table with { Table = table.Table with { EstimatedRows = Math.Max(table.Table.EstimatedRows, states.TryGetValue(table.Table.Source, out var known) ? known.State.RowsSource : 0) } })
                .Where(table => !table.Table.IsKeyless && table.Table.EstimatedRows > limits.SampleAbove),
        ];
    }

    /// <summary>Checks things one after the other. One whose table was truncated behind the snapshot is not decided, which says nothing of the others.</summary>
    internal static async Task<IReadOnlyList<CheckResult>> EachAsync<T>(IReadOnlyList<T> things, Func<T, string> nameOf, Func<T, Task<CheckResult>> check)
    {
        var results = new List<CheckResult>();
        foreach (var thing in things)
        {
            try
            {
                results.Add(await check(thing));
            }
            catch (FaultException exception) when (exception.Fault.Code == "table-rewritten")
            {
                results.Add(new CheckResult(nameOf(thing), CheckState.InFlight, exception.Fault.Message) { Fix = "It is asked again by itself" });
            }
        }

        return results;
    }
}
