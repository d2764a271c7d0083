using CdcMigrator.Domain.Comparing;

namespace CdcMigrator.Reconciliation.Passes;

/// <summary>How gently and how long a verification works.</summary>
public sealed record VerificationLimits
{
    /// <summary>How long reading a chunk should take on the slower side.</summary>
    public TimeSpan ChunkTime { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <summary>Most rows of a chunk, however fast they are read.</summary>
    public long LargestChunk { get; init; } = 1_000_000;

    /// <summary>How long a pair of snapshots is held before the next chunk gets a new one.</summary>
    public TimeSpan SnapshotTime { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long rows that were on their way are compared again before a run ends without them.</summary>
    public TimeSpan SettleTime { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A row on its way for longer is shown as suspended.</summary>
    public TimeSpan SuspendAfter { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Most wrong rows remembered a table. Where more are wrong, the others are found by another pass only.</summary>
    public int MostWrong { get; init; } = TableState.MostWrong;

    /// <summary>Most dirty keys remembered a table; about 200 bytes each.</summary>
    public int DirtyKeys { get; init; } = 1_000_000;
}
