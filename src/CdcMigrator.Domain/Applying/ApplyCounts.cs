namespace CdcMigrator.Domain.Applying;

/// <summary>What a batch did, by kind of change. Replays were skipped, not applied.</summary>
public readonly record struct ApplyCounts(long Inserts, long Updates, long Deletes, long SnapshotRows, long Replays, long Reselected)
{
    /// <summary>Changes applied; replays do not count.</summary>
    public long Applied => Inserts + Updates + Deletes + SnapshotRows;

    /// <summary>Sums two counts.</summary>
    public static ApplyCounts operator +(ApplyCounts a, ApplyCounts b) => new(
        a.Inserts + b.Inserts, a.Updates + b.Updates, a.Deletes + b.Deletes,
        a.SnapshotRows + b.SnapshotRows, a.Replays + b.Replays, a.Reselected + b.Reselected);

    /// <summary>Sums two counts.</summary>
    public static ApplyCounts Add(ApplyCounts left, ApplyCounts right) => left + right;
}
