using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Runtime;
using Npgsql;

namespace CdcMigrator.Service.Switching;

/// <summary>
/// Looks once a minute, as long as a side is closed, whether its fence has holes and whether others than the migration wrote there: what they write is carried over by nobody. Every process looks.
/// </summary>
internal sealed class WindowWatch(MigrationDefinition definition, Sides sides, WindowMetrics metrics, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);
    private static readonly string Actor = $"{Environment.MachineName}/{Environment.ProcessId}";
    private readonly Dictionary<(string Side, TableName Table), LeakRule> rules = [];
    private readonly Dictionary<string, string> seen = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IReadOnlyList<Finding>> known = new(StringComparer.Ordinal);
    private volatile IReadOnlyList<Finding> findings = [];

    /// <summary>What was found at the last look, by both sides.</summary>
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
                // A side is away: the keeper of fences says so.
            }

            await Task.Delay(Interval, time, stop).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    /// <summary>Looks at both sides once, at each by itself: of one that is away what was found last stays known.</summary>
    /// <exception cref="FaultException">Unreachable: a side does not answer; the other one was looked at all the same.</exception>
    public async Task TurnAsync(CancellationToken cancellationToken)
    {
        FaultException? away = null;
        foreach (var (name, side, database, into) in new[]
        {
            ("source", sides.Source, sides.LeftDatabase(MigrationDirection.Forward), MigrationDirection.Back),
            ("target", sides.Target, sides.TakingDatabase(MigrationDirection.Forward), MigrationDirection.Forward),
        })
        {
            try
            {
                known[name] = await LookAsync(name, side, database, into, cancellationToken);
            }
            catch (FaultException exception)
            {
                away = exception;
            }
        }

        var found = known.OrderBy(side => side.Key, StringComparer.Ordinal).SelectMany(side => side.Value).ToList();
        foreach (var finding in found.Where(finding => findings.All(earlier => earlier.Message != finding.Message)))
        {
            RuntimeLog.SourceFinding(log, finding.Code, $"{finding.Message}. {finding.Fix}");
        }

        findings = found;
        if (away is not null)
        {
            throw away;
        }
    }

    /// <param name="name">What the side is called.</param>
    /// <param name="side">The side.</param>
    /// <param name="database">Sessions there.</param>
    /// <param name="into">The direction that is applied there.</param>
    /// <param name="cancellationToken">Gives up.</param>
    private Task<IReadOnlyList<Finding>> LookAsync(string name, FencedSide side, NpgsqlDataSource database, MigrationDirection into, CancellationToken cancellationToken) => Sides.AskAsync(async () =>
    {
        var record = await side.ReadAsync(cancellationToken);
        if (record is not null)
        {
            metrics.SetOpen(name, record.State == FenceState.Open, record is { State: FenceState.Open, CompletedAt: null } && into == MigrationDirection.Forward ? definition.Cutover.RollbackWindow - record.Age : null);
        }

        if (record is not { State: FenceState.Sealed })
        {
            Forget(name);
            metrics.Set(name, 0, 0);
            return (IReadOnlyList<Finding>)[];
        }

        // What was counted of another attempt's closing says nothing of this one's.
        if (seen.GetValueOrDefault(name) != record.Token)
        {
            Forget(name);
            seen[name] = record.Token;
        }

        var gaps = await side.FindGapsAsync(cancellationToken);
        await CountAsync(name, database, into, cancellationToken);
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
    });

    private void Forget(string name)
    {
        seen.Remove(name);
        foreach (var key in rules.Keys.Where(key => key.Side == name).ToList())
        {
            rules.Remove(key);
        }
    }

    /// <summary>The counts first: what the migration commits between the two questions is then a move without rows, never rows without a move.</summary>
    private async Task CountAsync(string name, NpgsqlDataSource database, MigrationDirection into, CancellationToken cancellationToken)
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

            if (!rules.TryGetValue((name, table.Target), out var rule))
            {
                rules[(name, table.Target)] = rule = new LeakRule();
            }

            var move = $"{moves.GetValueOrDefault("")} {moves.GetValueOrDefault(EmbeddedLog.TopicOf(way.Log.TopicPrefix, table.Source))}";
            if (rule.Look(rows, move) is > 0 and var others)
            {
                await LeakedRows.NoteAsync(database, definition.Name, Actor, table.Target, others, cancellationToken);
            }
        }
    }
}
