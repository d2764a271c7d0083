using CdcMigrator.Domain.Migrations;

namespace CdcMigrator.Streaming;

/// <summary>What the apply pipeline of one process needs to know about the log and its own limits.</summary>
public sealed record StreamingOptions
{
    /// <summary>Kafka bootstrap servers.</summary>
    public required string BootstrapServers { get; init; }

    /// <summary>Consumer group; processes of one group share the partitions.</summary>
    public required string Group { get; init; }

    /// <summary>Topics of the migrated tables. Those the broker does not have yet are waited for.</summary>
    public required IReadOnlyList<string> Topics { get; init; }

    /// <summary>Topic of the source's <c>cdc_migrator.fence</c>, consumed beside <see cref="Topics"/>; null where there is none.</summary>
    public string? FenceTopic { get; init; }

    /// <summary>
    /// Settings passed to librdkafka as they are (TLS, SASL, …). <c>group.protocol</c> here overrides the choice the pipeline makes
    /// itself: <c>consumer</c> where the broker has it, else <c>classic</c>. What correctness rests on (<c>auto.offset.reset</c>, …) cannot be set.
    /// </summary>
    public IReadOnlyDictionary<string, string> Client { get; init; } = new Dictionary<string, string>();

    /// <summary>Most bytes of undecoded records a lane holds before its partition is paused. It goes on below half of it.</summary>
    public long LaneBytes { get; init; } = 16L << 20;

    /// <summary>
    /// Bytes of records, from being fetched to being applied, beyond which partitions are paused although their own lane is not full. Each lane keeps a right
    /// to its part of half of it, so that none starves.
    /// </summary>
    public long TotalBytes { get; init; } = 64L << 20;

    /// <summary>Most changes of one batch.</summary>
    public int BatchChanges { get; init; } = 20_000;

    /// <summary>Bytes of values at which a batch closes.</summary>
    public long BatchBytes { get; init; } = 8L << 20;

    /// <summary>Largest record accepted; a larger one is poison.</summary>
    public long MaxRecordBytes { get; init; } = 64L << 20;

    /// <summary>What becomes of a record that can never be applied.</summary>
    public PoisonPolicy OnPoison { get; init; } = PoisonPolicy.Halt;

    /// <summary>Batches that may be applied at once, over all lanes. A lane takes its turn only while it applies.</summary>
    public int Writers { get; init; } = 4;

    /// <summary>How long a graceful stop waits for batches in flight before it cancels them.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long the batches in flight of revoked partitions are waited for; the group waits meanwhile. Keep it well below <see cref="MaxPollInterval"/>.</summary>
    public TimeSpan RevokeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>librdkafka's <c>max.poll.interval.ms</c>. Lanes never hold the poll thread up, so a slow target does not use it up.</summary>
    public TimeSpan MaxPollInterval { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Set for a log that forgets everything when its process ends (the embedded log): a name of this life of it, which takes
    /// the cluster id's place. Null for Kafka.
    /// </summary>
    public string? Incarnation { get; init; }

    /// <summary>How often the broker is asked for new topics, log ends and whether the log is still the one recorded.</summary>
    public TimeSpan LogCheckInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Shortest time between two batches of one lane that only move progress (tombstones, heartbeats). Markers never wait.</summary>
    public TimeSpan EmptyBatchInterval { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long a halted lane waits before it tries the same record again by itself. A broken log waits for a person.</summary>
    public TimeSpan HaltedRetryInterval { get; init; } = TimeSpan.FromSeconds(5);

    internal IEnumerable<string> AllTopics => FenceTopic is null ? Topics : Topics.Append(FenceTopic).Distinct(StringComparer.Ordinal);
}
