using CdcMigrator.Domain.Faults;

namespace CdcMigrator.Embedded;

/// <summary>An embedded log at one moment.</summary>
public sealed record EmbeddedLogStatus
{
    /// <summary>Durable phase.</summary>
    public required EmbeddedLogPhase Phase { get; init; }

    /// <summary>LSN up to which the slot was confirmed: everything below it is committed in the target. 0 before the first.</summary>
    public required ulong ConfirmedLsn { get; init; }

    /// <summary>LSN up to which the source has been read in this process; 0 before streaming.</summary>
    public required ulong ReceivedLsn { get; init; }

    /// <summary>Records published that the target has not committed.</summary>
    public required long UnappliedRecords { get; init; }

    /// <summary>Bytes of <see cref="UnappliedRecords"/>.</summary>
    public required long UnappliedBytes { get; init; }

    /// <summary>Rows published by the snapshot of this process, by table; empty where there was none.</summary>
    public required IReadOnlyList<SnapshotTableProgress> Snapshot { get; init; }

    /// <summary>What is wrong; null while all is well.</summary>
    public Fault? Fault { get; init; }

    /// <summary>Whether <see cref="Fault"/> ended the log: it does nothing more until a new one is started.</summary>
    public bool Stopped { get; init; }
}
