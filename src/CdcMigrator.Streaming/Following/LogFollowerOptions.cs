namespace CdcMigrator.Streaming.Following;

/// <summary>What following a log beside the pipeline needs to know.</summary>
public sealed record LogFollowerOptions
{
    /// <summary>Kafka bootstrap servers.</summary>
    public required string BootstrapServers { get; init; }

    /// <summary>Settings passed to librdkafka as they are (TLS, SASL, …). What correctness rests on, and all that concerns groups, cannot be set.</summary>
    public IReadOnlyDictionary<string, string> Client { get; init; } = new Dictionary<string, string>();

    /// <summary>Most bytes of records that are fetched ahead, over all partitions; one fetch of each partition may come on top.</summary>
    public long BufferBytes { get; init; } = 32L << 20;

    /// <summary>Largest record the log may hold.</summary>
    public long MaxRecordBytes { get; init; } = 64L << 20;

    /// <summary>How long to wait before a record is offered again that its observer failed on, before a failed client is replaced, and between looks for a broker that was away.</summary>
    public TimeSpan RetryInterval { get; init; } = TimeSpan.FromSeconds(1);
}
