namespace CdcMigrator.Domain.Migrations;

/// <summary>Applying changes to the target.</summary>
public sealed record ApplySection
{
    /// <summary>Connections that write to the target, in one process.</summary>
    public int Writers { get; init; } = 4;

    /// <summary>Most changes of one transaction and lane.</summary>
    public int BatchChanges { get; init; } = 20_000;

    /// <summary>Most bytes of values of one transaction and lane.</summary>
    public long BatchBytes { get; init; } = 8L << 20;

    /// <summary>Most bytes of undecoded records a lane holds before its partition is paused.</summary>
    public long LaneBytes { get; init; } = 16L << 20;

    /// <summary>Bytes of records that all lanes together hold, fetched and not applied, beyond which partitions are paused.</summary>
    public long TotalBytes { get; init; } = 64L << 20;

    /// <summary>Largest record that is accepted.</summary>
    public long MaxRecordBytes { get; init; } = 64L << 20;

    /// <summary>How long a claim waits for the former owner's transaction before its backend is terminated.</summary>
    public TimeSpan TakeoverTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a change may wait for a unique value that another lane has yet to free, after the last progress of any lane.</summary>
    public TimeSpan UniqueWait { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a graceful stop waits for batches in flight.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>What happens to a record that can never be applied.</summary>
    public PoisonPolicy OnPoison { get; init; } = PoisonPolicy.Halt;

    /// <summary>Most dead letters of the migration; at the bound lanes halt instead of parking more.</summary>
    public int DeadLetterCount { get; init; } = 10_000;

    /// <summary>Most bytes of all dead letters of the migration.</summary>
    public long DeadLetterBytes { get; init; } = 256L << 20;
}
