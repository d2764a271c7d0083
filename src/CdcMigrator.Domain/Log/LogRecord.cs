namespace CdcMigrator.Domain.Log;

/// <summary>One record as Kafka delivered it: bytes, not yet decoded. Immutable by convention; the arrays are not copied.</summary>
public sealed record LogRecord
{
    /// <summary>Partition the record came from.</summary>
    public required LaneId Lane { get; init; }

    /// <summary>Offset within the partition.</summary>
    public required long Offset { get; init; }

    /// <summary>Broker or producer timestamp in Unix milliseconds; 0 where unknown.</summary>
    public long TimestampMs { get; init; }

    /// <summary>Key bytes; null for a record without key.</summary>
    public byte[]? Key { get; init; }

    /// <summary>Value bytes; null for a tombstone.</summary>
    public byte[]? Value { get; init; }

    /// <summary>Headers in the producer's order; empty where there are none.</summary>
    public IReadOnlyList<LogHeader> Headers { get; init; } = [];

    /// <summary>Bytes this record holds in memory: key, value and headers.</summary>
    public long Size => (Key?.Length ?? 0) + (Value?.Length ?? 0) + (Headers.Count * 64L);
}
