using System.Collections.Concurrent;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Reconciliation.Changes;
using CdcMigrator.Reconciliation.Reading;
using CdcMigrator.Service.Sources;
using CdcMigrator.Streaming.Following;
using CdcMigrator.Streaming.Inspection;

namespace CdcMigrator.Service.Verifying;

/// <summary>Reads the log for the reconciler: tells each table's index of its changes, and knows when everything up to a moment was told. Thread-safe.</summary>
internal sealed class ChangeFollower : IChangeReader, IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>A marker counts once the connector has confirmed it: with Connect's own <c>offset.flush.interval.ms</c> that takes a minute.</summary>
    private static readonly TimeSpan PassTimeout = TimeSpan.FromMinutes(3);
    private readonly LogFollower follower;
    private readonly LogReading records;
    private readonly IReadOnlyDictionary<TableName, ChangeIndex> indexes;
    private readonly IMigrationSource source;
    private readonly LogInspector inspector;
    private readonly IReadOnlyCollection<string> topics;
    private readonly string owner;
    private readonly TimeProvider time;
    private readonly ConcurrentDictionary<string, bool> awaited = new(StringComparer.Ordinal);
    private volatile string? doubt;

    /// <summary>Begins to read from the offsets given.</summary>
    public ChangeFollower(
        Func<Action<LogRecord, CancellationToken>, LogFollower> follow, RecordReader records, IReadOnlyDictionary<TableName, ChangeIndex> indexes, ISchemaLoader? schemas, IMigrationSource source,
        LogInspector inspector, IReadOnlyCollection<string> topics, string migration, ISourceView began,
        IReadOnlyDictionary<LaneId, long> offsets, TimeProvider time)
    {
        this.records = new LogReading(records, schemas);
        this.indexes = indexes;
        this.source = source;
        this.inspector = inspector;
        this.topics = topics;
        this.time = time;
        owner = $"verify:{migration}";
        Began = began;
        follower = follow(Observe);
        follower.Follow(offsets);
    }

    /// <inheritdoc />
    public IReadOnlyDictionary<LaneId, long> Positions => follower.Positions;

    /// <inheritdoc />
    public ISourceView Began { get; }

    /// <summary>What keeps it from reading; null while it reads.</summary>
    public Fault? Fault => follower.Fault;

    /// <summary>Whether it reads nothing for now.</summary>
    public bool IsPaused
    {
        get => follower.IsPaused;
        set => follower.IsPaused = value;
    }

    /// <summary>The last reason for which a change was taken for one of all rows; null where each was told by key.</summary>
    public string? Doubt => doubt;

    /// <summary>Records between where it reads and the log's end.</summary>
    public async Task<long> BehindAsync(CancellationToken cancellationToken)
    {
        var positions = follower.Positions;
        return (await ReadEndsAsync(cancellationToken)).Sum(range => Math.Max(0, range.Value.End - positions.GetValueOrDefault(range.Key, range.Value.Start)));
    }

    /// <inheritdoc />
    public async Task PassAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(PassTimeout);
        var waitsFor = "the marker to be written";
        string? id = null;
        Func<string> behind = () => "";
        try
        {
            var marker = await source.WriteMarkerAsync(owner, limit.Token);
            id = marker.Id;
            waitsFor = "the log's reader at the source to confirm the marker";
            while (!await source.IsConfirmedAsync(marker.Lsn, limit.Token))
            {
                await Task.Delay(Pause, time, limit.Token);
            }

            // Taken behind the confirmation: the broker holds everything before the marker, in all partitions.
            var ends = await ReadEndsAsync(limit.Token);
            waitsFor = "the reconciler's own reader to reach the log's end";
            behind = () => string.Join(", ", ends.Where(end => follower.Positions.GetValueOrDefault(end.Key, -1) < end.Value.End)
                .Select(end => $"{end.Key} at {follower.Positions.GetValueOrDefault(end.Key, -1)} of {end.Value.End}").Take(3));
            await follower.ReachAsync(ends.ToDictionary(range => range.Key, range => range.Value.End), limit.Token);
            if (!awaited.ContainsKey(id))
            {
                // The source says that the log has it and the log has not: it is not the log of this source.
                throw new FaultException(FaultKind.LogBroken, "marker-missing", $"Marker {id} was confirmed by the source's reader and is not in the log",
                    "Check that the fence table is captured by this migration's connector ('cdcm preflight')");
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new FaultException(FaultKind.TimedOut, "verification-behind", $"Waited {PassTimeout.TotalSeconds:0} s for {waitsFor} {behind()}; nothing was decided",
                "See 'cdcm status': the connector or the broker may stand still. The comparison is tried again");
        }
        finally
        {
            if (id is not null)
            {
                awaited.TryRemove(id, out _);
            }
        }
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => follower.DisposeAsync();

    /// <summary>
    /// Where every partition ends that is read; one that the broker does not tell of is a fault, for it would be passed over. A topic that was not there when reading began is
    /// read from now on, and from its beginning: everything in it came since.
    /// </summary>
    private async Task<IReadOnlyDictionary<LaneId, LogRange>> ReadEndsAsync(CancellationToken cancellationToken)
    {
        var known = follower.Positions;
        var ends = await inspector.ReadTopicRangesAsync(topics, known.Keys, cancellationToken);
        follower.Follow(ends.Where(range => !known.ContainsKey(range.Key)).ToDictionary(range => range.Key, range => range.Value.Start));
        return ends;
    }

    private void Observe(LogRecord record, CancellationToken cancellationToken)
    {
        var reading = records.Read(record, cancellationToken);
        doubt = reading.Doubt ?? doubt;
        switch (reading.Kind)
        {
            case RecordKind.Change when indexes.TryGetValue(reading.Change.Table, out var index):
                index.Add(reading.Change.Key, reading.Change.Mark);
                break;
            case RecordKind.Marker when reading.Marker!.StartsWith(owner, StringComparison.Ordinal):
                awaited[reading.Marker] = true;
                break;
            case RecordKind.Unreadable:
                foreach (var index in indexes.Values)
                {
                    index.Add(null, new ChangeMark(record.Lane.Partition, record.Offset, 0, IsRead: true));
                }

                break;
        }
    }
}
