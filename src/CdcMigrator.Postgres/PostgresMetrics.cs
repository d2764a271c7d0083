using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Tables;
using Prometheus;

namespace CdcMigrator.Postgres;

/// <summary>Metrics of the target's side. The constant label <c>migration</c> is the registry owner's to add.</summary>
public sealed class PostgresMetrics
{
    private readonly Counter applied;
    private readonly Counter skipped;
    private readonly Counter reselected;
    private readonly Counter singled;
    private readonly Counter takeovers;
    private readonly Counter uniqueWaits;

    /// <summary>Registers the metrics.</summary>
    public PostgresMetrics(IMetricFactory factory)
    {
        ArgumentNullException.ThrowIfNull(factory);
        applied = factory.CreateCounter("cdcmigrator_changes_applied_total", "Changes committed in the target.", ["table", "op"]);
        skipped = factory.CreateCounter("cdcmigrator_changes_skipped_total", "Changes not applied, by reason: duplicate (applied before) or gone (the source has deleted the row since).", ["table", "reason"]);
        reselected = factory.CreateCounter("cdcmigrator_reselected_rows_total", "Rows completed from the source because the event lacked columns.", ["table"]);
        singled = factory.CreateCounter("cdcmigrator_apply_splits_total", "Batches applied in parts because a row of them was refused.", ["reason"]);
        takeovers = factory.CreateCounter("cdcmigrator_lane_takeovers_total", "Sessions of former owners that were ended to claim a lane.");
        uniqueWaits = factory.CreateCounter("cdcmigrator_unique_waits_total", "Times a change had to wait for a unique value held by another lane's row.", ["table"]);
    }

    internal void Applied(TableRoute route, ChangeOperation operation, int count) => applied.WithLabels(route.Source.ToString(), Name(operation)).Inc(count);

    /// <summary>Rows of snapshots applied to a table since the process started.</summary>
    public long SnapshotRows(TableName source) => (long)applied.WithLabels(source.ToString(), Name(ChangeOperation.SnapshotRow)).Value;

    internal void Duplicates(TableRoute route, int count) => skipped.WithLabels(route.Source.ToString(), "duplicate").Inc(count);

    internal void Gone(TableRoute route) => skipped.WithLabels(route.Source.ToString(), "gone").Inc();

    internal void Reselected(TableRoute route, int count) => reselected.WithLabels(route.Source.ToString()).Inc(count);

    internal void Split(string reason) => singled.WithLabels(reason).Inc();

    internal void TakenOver() => takeovers.Inc();

    internal void UniqueWait(TableRoute route) => uniqueWaits.WithLabels(route.Source.ToString()).Inc();

    private static string Name(ChangeOperation operation) => operation switch
    {
        ChangeOperation.SnapshotRow => "snapshot",
        ChangeOperation.Insert => "insert",
        ChangeOperation.Update => "update",
        ChangeOperation.Delete => "delete",
        _ => "truncate",
    };
}
