using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Status;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded;
using CdcMigrator.Postgres.Resync;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Runtime;

namespace CdcMigrator.Service.Reporting;

/// <summary>What the API shows, made from the runtime's status at the moment of the question.</summary>
internal sealed class StatusReports(MigrationDefinition definition, MigrationRuntime runtime)
{
    public async Task<StatusReport> StatusAsync(CancellationToken cancellationToken) =>
        Status(definition, await runtime.StatusWithFindingsAsync(cancellationToken), TimeProvider.System.GetUtcNow());

    public async Task<GateReport> GateAsync(CancellationToken cancellationToken) =>
        Gate.Of(definition, await runtime.StatusWithFindingsAsync(cancellationToken), TimeProvider.System.GetUtcNow());

    public LagReport Lag() => Lag(definition, runtime.Status());

    public async Task<TablesReport> TablesAsync(CancellationToken cancellationToken) =>
        Tables(definition, runtime.Status(), await runtime.ReadResyncsAsync(cancellationToken), runtime.SnapshotRows);

    /// <summary>The tables a request names.</summary>
    /// <exception cref="FaultException">Configuration: one of them is not in the migration file.</exception>
    public IReadOnlyCollection<TableName> Named(ResyncRequest request) => request.All
        ? [.. definition.Tables.Select(table => table.Source)]
        : [.. request.Tables!.Distinct(StringComparer.Ordinal).Select(name => definition.Tables.FirstOrDefault(table => table.Source.ToString() == name)?.Source
            ?? throw new FaultException(FaultKind.Configuration, "unknown-table", $"'{name}' is no source table of migration {definition.Name}", $"Its tables: {string.Join(", ", definition.Tables.Select(table => table.Source))}"))];

    internal static StatusReport Status(MigrationDefinition definition, RuntimeStatus now, DateTimeOffset at)
    {
        var lanes = now.Pipeline?.Lanes ?? [];
        var report = new StatusReport
        {
            Migration = definition.Name,
            Phase = now.Phase switch
            {
                RuntimePhase.Starting => ServicePhase.Starting,
                RuntimePhase.Running when now.Side is { State: not FenceState.Sealed } => definition.Direction == MigrationDirection.Forward ? ServicePhase.TargetOpen : ServicePhase.SourceOpen,
                RuntimePhase.Running when now.Side is { NoReturn: true } => ServicePhase.Left,
                RuntimePhase.Running when now.Paused is not null => ServicePhase.Paused,
                RuntimePhase.Running => ServicePhase.Replicating,
                RuntimePhase.Completed => ServicePhase.Completed,
                _ => ServicePhase.Stopping,
            },
            Lag = new LagSummary(lanes.Sum(lane => lane.LagRecords), Seconds(lanes)),
            Applied = AppliedReport.Of(now.Pipeline?.Applied ?? default(ApplyCounts)),
            DeadLetters = now.DeadLetters?.Values.Sum(),
            Lanes = [.. InOrder(lanes).Select(lane => new LaneReport(lane.Lane.Topic, lane.Lane.Partition, lane.NextOffset, lane.EndOffset, lane.State))],
            Tables = TablesOf(definition, now),
            Gate = Gate.Of(definition, now, at),
            MissingTopics = now.Pipeline?.MissingTopics ?? [],
            Faults = [.. now.Faults.OrderBy(Urgency).Select(FaultReport.Of)],
            Findings = [.. now.Findings.Select(PreflightFinding.Of)],
            Writes = WritesOf(definition.Direction, now.Side?.State),
            Paused = now.Paused,
            NextSteps = [],
        };
        return report with { NextSteps = NextSteps.Of(report) };
    }

    /// <summary>The side that takes writes, in the words of the migration file. While a side is being left, and before the other one is opened, none does.</summary>
    private static string? WritesOf(MigrationDirection direction, FenceState? appliedTo) => (direction, appliedTo) switch
    {
        (_, FenceState.Closed) => "none",
        (MigrationDirection.Forward, FenceState.Open) or (MigrationDirection.Back, FenceState.Sealed) => "target",
        (MigrationDirection.Forward, _) or (MigrationDirection.Back, FenceState.Open) => "source",
        _ => null,
    };

    internal static TablesReport Tables(MigrationDefinition definition, RuntimeStatus now, IReadOnlyList<ResyncState> resyncs, Func<TableName, long> snapshotRows)
    {
        var lanes = (now.Pipeline?.Lanes ?? []).ToLookup(lane => lane.Lane.Topic, StringComparer.Ordinal);
        return new TablesReport(definition.Name, [.. definition.Tables.Select(table =>
        {
            var name = table.Source.ToString();
            var own = lanes[EmbeddedLog.TopicOf(definition.Log.TopicPrefix, table.Source)].ToList();
            return new TableDetail
            {
                Source = name,
                Target = table.Target.ToString(),
                Snapshot = now.Snapshot,
                SnapshotRows = snapshotRows(table.Source),
                Behind = own.Sum(lane => lane.LagRecords),
                Lanes = own.CountBy(lane => lane.State.ToString()).OrderBy(state => state.Key, StringComparer.Ordinal).ToDictionary(),
                Resync = resyncs.FirstOrDefault(state => state.Table == name) is { } state ? ResyncReport.Of(state) : null,
                Findings = [.. now.Findings.Where(finding => finding.Table == name).Select(PreflightFinding.Of)],
                Faults = [.. now.Faults.Where(fault => fault.Table == name || own.Any(lane => lane.Lane == fault.Lane)).Select(FaultReport.Of)],
            };
        })]);
    }

    internal static LagReport Lag(MigrationDefinition definition, RuntimeStatus now)
    {
        var lanes = now.Pipeline?.Lanes ?? [];
        var byTopic = lanes.ToLookup(lane => lane.Lane.Topic, StringComparer.Ordinal);
        var tables = definition.Tables.Select(table =>
        {
            var topic = EmbeddedLog.TopicOf(definition.Log.TopicPrefix, table.Source);
            var own = byTopic[topic].ToList();
            return new TableLag(table.Source.ToString(), topic, own.Count, own.Sum(lane => lane.LagRecords), Seconds(own));
        });
        var partitions = InOrder(lanes).Select(lane => new PartitionLag(
            lane.Lane.Topic, lane.Lane.Partition, lane.NextOffset, lane.EndOffset, lane.LagRecords, Math.Round(lane.LagTime.TotalSeconds, 3), lane.State,
            lane.Fault is { } fault ? FaultReport.Of(fault) : null));
        return new LagReport(
            definition.Name, lanes.Sum(lane => lane.LagRecords), Seconds(lanes),
            [.. tables.OrderByDescending(table => table.Records)], [.. partitions.OrderByDescending(partition => partition.Records)])
        { Paused = now.Paused };
    }

    private static List<TableReport> TablesOf(MigrationDefinition definition, RuntimeStatus now) =>
    [
        .. definition.Tables.Select(table => now.Verified?.GetValueOrDefault(table.Source) is { } state
            ? new TableReport(
                table.Source.ToString(), table.Target.ToString(), state.Verdict.ToString(), state.CoveredAt, state.Run == 0 ? null : state.RowsSource, state.Run == 0 ? null : state.RowsTarget, state.DirtyKeys)
            : new TableReport(table.Source.ToString(), table.Target.ToString(), null, null, null, null, null)),
    ];

    private static IEnumerable<LaneStatus> InOrder(IEnumerable<LaneStatus> lanes) =>
        lanes.OrderBy(lane => lane.Lane.Topic, StringComparer.Ordinal).ThenBy(lane => lane.Lane.Partition);

    private static double Seconds(IReadOnlyCollection<LaneStatus> lanes) =>
        lanes.Count == 0 ? 0 : Math.Round(lanes.Max(lane => lane.LagTime).TotalSeconds, 3);

    private static int Urgency(Fault fault) => fault.Kind switch
    {
        FaultKind.LogBroken => 0,
        FaultKind.Internal => 1,
        FaultKind.Configuration => 2,
        FaultKind.Poison => 3,
        FaultKind.Unreachable => 4,
        _ => 5,
    };
}
