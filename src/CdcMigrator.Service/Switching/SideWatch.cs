using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Runtime;
using Npgsql;

namespace CdcMigrator.Service.Switching;

/// <summary>One side of <see cref="WindowWatch"/>, looked at by itself: the other one may be what went wrong, and say nothing at all.</summary>
/// <param name="definition">The migration file.</param>
/// <param name="side">The side.</param>
/// <param name="database">Sessions there.</param>
/// <param name="into">The direction that is applied there.</param>
/// <param name="metrics">Where the numbers go.</param>
/// <param name="time">Clock.</param>
/// <param name="log">Where to log.</param>
internal sealed class SideWatch(MigrationDefinition definition, FencedSide side, NpgsqlDataSource database, MigrationDirection into, WindowMetrics metrics, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);
    private static readonly string Actor = $"{Environment.MachineName}/{Environment.ProcessId}";
    private readonly Dictionary<TableName, LeakRule> rules = [];
    private string? seen;
    private Task<IReadOnlyList<Finding>> looking = Task.FromResult<IReadOnlyList<Finding>>([]);
    private volatile IReadOnlyList<Finding> findings = [];

    /// <summary>What was found at the last look that was answered.</summary>
    public IReadOnlyList<Finding> Findings => findings;

    /// <summary>Looks until stopped.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await TurnAsync(stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (FaultException)
            {
                // The side is away: the keeper of fences says so.
            }

            await Task.Delay(Interval, time, stop).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    /// <summary>Looks once. Of a side that is away what was found last stays known.</summary>
    /// <exception cref="FaultException">Unreachable: the side does not answer.</exception>
    public async Task TurnAsync(CancellationToken cancellationToken)
    {
        var found = await Sides.AskAsync(
            side.Name, Patience.Work,
            async stop =>
            {
                // One that was given up ends with its session: none is begun beside it.
                looking = looking.IsCompleted ? LookAsync(stop) : looking;
                return await looking;
            },
            cancellationToken);
        foreach (var finding in found.Where(finding => findings.All(earlier => earlier.Message != finding.Message)))
        {
            RuntimeLog.SourceFinding(log, finding.Code, $"{finding.Message}. {finding.Fix}");
        }

        findings = found;
    }

    private async Task<IReadOnlyList<Finding>> LookAsync(CancellationToken cancellationToken)
    {
        var name = side.Name;
        var record = await side.ReadAsync(cancellationToken);
        if (record is not null)
        {
            metrics.SetOpen(name, record.State == FenceState.Open, record is { State: FenceState.Open, CompletedAt: null } && into == MigrationDirection.Forward ? definition.Cutover.RollbackWindow - record.Age : null);
        }

        if (record is not { State: FenceState.Sealed })
        {
            Forget();
            metrics.Set(name, 0, 0);
            return [];
        }

        // What was counted of another attempt's closing says nothing of this one's.
        if (seen != record.Token)
        {
            Forget();
            seen = record.Token;
        }

        var gaps = await side.FindGapsAsync(cancellationToken);
        await CountAsync(cancellationToken);
        var leaked = await LeakedRows.ReadAsync(database, definition.Name, cancellationToken);
        var shut = await side.FindShutAsync(cancellationToken);
        metrics.Set(name, gaps.Count + (shut is null ? 0 : 1), leaked.Values.Sum());
        return
        [
            .. shut is null ? [] : new[]
            {
                new Finding(
                    Severity.Error, "side-shut", $"The {name} said that it was open until {shut:u}, though the other side was opened later: it came back from an older copy of itself, or its row was changed by hand; what was written there is carried over by nobody",
                    "'cdcm verify start --wait' names rows that differ. An older copy cannot be gone back to: where its log would go on is not known"),
            },
            .. gaps.Select(gap => new Finding(
                Severity.Error, "fence-gap", $"The fence of the {name} has a hole: {gap}", "Close it (enable the trigger cdcm_fence, or drop what writes), then compare: 'cdcm verify start --wait'")),
            .. leaked.OrderBy(leak => leak.Key, StringComparer.Ordinal).Select(leak => new Finding(
                Severity.Error, "leaked-writes", $"{leak.Value} rows of {leak.Key} in the {name} were changed by others than the migration: nobody carries them over",
                "'cdcm verify start --wait' names the rows; find out who wrote, then 'cdcm tables repair'")
            { Table = leak.Key }),
        ];
    }

    private void Forget()
    {
        seen = null;
        rules.Clear();
    }

    /// <summary>The counts first: what the migration commits between the two questions is then a move without rows, never rows without a move.</summary>
    private async Task CountAsync(CancellationToken cancellationToken)
    {
        var way = into == MigrationDirection.Forward ? definition : definition.TurnedRound();
        var counts = await LeakedRows.CountAsync(database, [.. way.Tables.Select(table => table.Target)], cancellationToken);
        var moves = await LeakedRows.ReadMovesAsync(database, definition.Name, cancellationToken);
        foreach (var table in way.Tables)
        {
            if (!counts.TryGetValue(table.Target, out var rows))
            {
                continue;
            }

            if (!rules.TryGetValue(table.Target, out var rule))
            {
                rules[table.Target] = rule = new LeakRule();
            }

            var move = $"{moves.GetValueOrDefault("")} {moves.GetValueOrDefault(EmbeddedLog.TopicOf(way.Log.TopicPrefix, table.Source))}";
            if (rule.Look(rows, move) is > 0 and var others)
            {
                await LeakedRows.NoteAsync(database, definition.Name, Actor, table.Target, others, cancellationToken);
            }
        }
    }
}
