namespace CdcMigrator.Cutover.Planning;

/// <summary>How long steps take and what they need, from the audit and unit costs.</summary>
public sealed record PlanSizing
{
    /// <summary>Rows of all tables.</summary>
    public required long Rows { get; init; }

    /// <summary>Bytes of all tables with indexes.</summary>
    public required long Bytes { get; init; }

    /// <summary>Rows written a second: the greater of the rate the audit measured and of the average since the source's counters began. Null where the source does not say.</summary>
    public required double? WritesPerSecond { get; init; }

    /// <summary>Where <see cref="WritesPerSecond"/> comes from: <c>measured over 10 s</c>, <c>average since the counters began</c>; null where it is not known.</summary>
    public required string? WritesFrom { get; init; }

    /// <summary>Seconds the connector's snapshot takes.</summary>
    public required double SnapshotSeconds { get; init; }

    /// <summary>Seconds from the end of the snapshot until the target has caught up; null where it never would.</summary>
    public required double? CatchUpSeconds { get; init; }

    /// <summary>Seconds a dump and restore takes: the downtime of a big bang.</summary>
    public required double DumpSeconds { get; init; }

    /// <summary>Seconds a full comparison of both sides takes.</summary>
    public required double VerificationSeconds { get; init; }

    /// <summary>Milliseconds without writes at a cutover by change data capture.</summary>
    public required double OutageMilliseconds { get; init; }

    /// <summary>Bytes of WAL or binlog to keep on the source for the snapshot and an outage of the connector; null where the rate is not known.</summary>
    public required long? SourceLogBytes { get; init; }

    /// <summary>Bytes of the log in Kafka, one copy: the snapshot and what is written while records are kept.</summary>
    public required long KafkaBytes { get; init; }

    /// <summary>Partitions of each table's topic; one for what must stay in order.</summary>
    public required IReadOnlyDictionary<string, int> Partitions { get; init; }

    /// <summary>Writers (<c>apply.writers</c>).</summary>
    public required int Writers { get; init; }
}
