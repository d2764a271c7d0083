using System.Collections.Concurrent;
using System.Text;
using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Log;
using CdcMigrator.Embedded;
using Confluent.Kafka;

namespace CdcMigrator.IntegrationTests.Embedded;

/// <summary>
/// Stands for the apply pipeline: reads every partition and, while <see cref="Applying"/>, keeps the rows by key as lanes would,
/// with replays skipped by position. Rows and positions outlive the log's incarnations, offsets do not.
/// </summary>
public sealed class FakeLanes : IAsyncDisposable
{
    private readonly Dictionary<LaneId, (ulong, ulong)> highest = [];
    private readonly ConcurrentDictionary<LaneId, long> progress = new();
    private readonly ConcurrentQueue<SeenRecord> waiting = new();
    private CancellationTokenSource? stop;
    private Task reading = Task.CompletedTask;
    private string incarnation = "";

    /// <summary>Rows in the imagined target: topic, key, image.</summary>
    public ConcurrentDictionary<(string Topic, string Key), string> Rows { get; } = new();

    /// <summary>Every record delivered in this incarnation.</summary>
    public ConcurrentQueue<SeenRecord> Records { get; } = new();

    /// <summary>Whether records are applied and progress moves.</summary>
    public bool Applying { get; set; } = true;

    /// <summary>How many records may still be applied; negative for no limit.</summary>
    public long Budget { get; set; } = -1;

    /// <summary>Replays skipped.</summary>
    public long Replays { get; private set; }

    /// <summary>What <see cref="EmbeddedLogOptions.ReadProgress"/> is given.</summary>
    public Task<IReadOnlyList<LaneProgress>> ReadProgressAsync(CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<LaneProgress>>([.. progress.Select(lane => new LaneProgress(lane.Key, lane.Value, SourcePosition.None, 1, default, false) { ClusterId = incarnation })]);

    /// <summary>Starts reading a log from its start; progress of a former one stays behind until then, as it does in a target.</summary>
    public void Attach(EmbeddedLog log)
    {
        stop = new CancellationTokenSource();
        var token = stop.Token;
        waiting.Clear();
        Records.Clear();
        foreach (var lane in progress.Keys)
        {
            progress[lane] = 0;
        }

        incarnation = log.Incarnation;
        var topics = log.Topics;
        var servers = log.BootstrapServers;
        reading = Task.Factory.StartNew(() => Read(servers, topics, token), token, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Stops reading.</summary>
    public async Task DetachAsync()
    {
        if (stop is not null)
        {
            await stop.CancelAsync();
            await reading;
            stop.Dispose();
            stop = null;
        }
    }

    /// <summary>Rows of one topic, ordered by key.</summary>
    public IReadOnlyList<string> RowsOf(string topic) => [.. Rows.Where(row => row.Key.Topic == topic).OrderBy(row => row.Key.Key, StringComparer.Ordinal).Select(row => row.Value)];

    /// <inheritdoc />
    public async ValueTask DisposeAsync() => await DetachAsync();

    private void Read(string servers, IReadOnlyList<string> topics, CancellationToken token)
    {
        using var consumer = new ConsumerBuilder<byte[]?, byte[]?>(new ConsumerConfig
        {
            BootstrapServers = servers,
            GroupId = "test",
            EnableAutoCommit = false,
            AutoOffsetReset = AutoOffsetReset.Error,
        }).SetLogHandler((_, _) => { }).Build();
        consumer.Assign(topics.SelectMany(topic => Enumerable.Range(0, 4).Select(partition => new TopicPartitionOffset(topic, partition, 0))));
        while (!token.IsCancellationRequested)
        {
            var result = consumer.Consume(TimeSpan.FromMilliseconds(20));
            if (result?.Message is not null)
            {
                var record = new SeenRecord(result.Topic, result.Partition.Value, result.Offset.Value, Text(result.Message.Key), Text(result.Message.Value),
                    (result.Message.Headers ?? []).ToDictionary(header => header.Key, header => Text(header.GetValueBytes())!));
                Records.Enqueue(record);
                waiting.Enqueue(record);
            }

            while (Applying && Budget != 0 && waiting.TryDequeue(out var next))
            {
                Apply(next);
                progress[new LaneId(next.Topic, next.Partition)] = next.Offset + 1;
                Budget = Budget > 0 ? Budget - 1 : Budget;
            }
        }
    }

    private void Apply(SeenRecord record)
    {
        if (record.Op is not { } op)
        {
            return;
        }

        var lane = new LaneId(record.Topic, record.Partition);
        var position = record.Position;
        if (op != "r")
        {
            if (position.CompareTo(highest.GetValueOrDefault(lane)) < 0)
            {
                Replays++;
                return;
            }

            highest[lane] = position;
        }

        switch (op)
        {
            case "t":
                foreach (var row in Rows.Keys.Where(row => row.Topic == record.Topic))
                {
                    Rows.TryRemove(row, out _);
                }

                break;
            case "d":
                Rows.TryRemove((record.Topic, record.Key!), out _);
                break;
            default:
                Rows[(record.Topic, record.Key!)] = record.After!;
                break;
        }
    }

    private static string? Text(byte[]? bytes) => bytes is null ? null : Encoding.UTF8.GetString(bytes);
}
