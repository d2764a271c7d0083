using System.Text;
using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;

namespace CdcMigrator.TestKit.Kafka;

/// <summary>
/// A target in memory under the rules of invariant A1: a batch and its progress are committed together, only from the offset and under the
/// epoch recorded. Failures can be put before and after the commit.
/// </summary>
public sealed class FakeLaneStore : ILaneStore
{
    private readonly Lock gate = new();
    private readonly Dictionary<LaneId, Row> rows = [];

    /// <summary>Called before a batch is committed; may wait, or throw to fail with nothing written.</summary>
    public Func<ChangeBatch, CancellationToken, Task>? BeforeCommit { get; set; }

    /// <summary>Called before a batch is committed, with the turn the lane holds.</summary>
    public Func<ChangeBatch, WriterTurn, CancellationToken, Task>? BeforeTurn { get; set; }

    /// <summary>Called after a batch was committed; may throw, as a connection lost before the answer came.</summary>
    public Func<ChangeBatch, Task>? AfterCommit { get; set; }

    /// <summary>Called before a claim; may throw.</summary>
    public Func<LaneId, Task>? BeforeClaim { get; set; }

    /// <summary>The highest position each claim finds.</summary>
    public SourcePosition Highest { get; set; }

    /// <summary>Claims so far.</summary>
    public int Claims { get; private set; }

    /// <summary>Batches committed so far.</summary>
    public int Commits { get; private set; }

    /// <summary>Most changes of one committed batch.</summary>
    public int LargestBatch { get; private set; }

    /// <summary>Batches refused because the epoch or offset had moved on.</summary>
    public int Refusals { get; private set; }

    public int Total
    {
        get
        {
            lock (gate)
            {
                return rows.Values.Sum(row => row.Applied.Count);
            }
        }
    }

    /// <summary>What was committed in a lane, in the order of commits.</summary>
    public IReadOnlyList<AppliedChange> Applied(LaneId lane)
    {
        lock (gate)
        {
            return rows.TryGetValue(lane, out var row) ? [.. row.Applied] : [];
        }
    }

    public long NextOffset(LaneId lane)
    {
        lock (gate)
        {
            return rows.TryGetValue(lane, out var row) ? row.Next : -1;
        }
    }

    /// <summary>Sets progress as if a former run had left it.</summary>
    public void Seed(LaneId lane, long nextOffset, LogIdentity? identity = null)
    {
        lock (gate)
        {
            rows[lane] = new Row { Next = nextOffset, Identity = identity };
        }
    }

    public async Task<ILaneWriter> ClaimAsync(LaneId lane, LogIdentity identity, long logStart, CancellationToken cancellationToken)
    {
        await (BeforeClaim?.Invoke(lane) ?? Task.CompletedTask);
        await Task.Yield();
        cancellationToken.ThrowIfCancellationRequested();
        lock (gate)
        {
            Claims++;
            if (!rows.TryGetValue(lane, out var row))
            {
                rows[lane] = row = new Row { Next = logStart, Identity = identity };
            }

            row.Identity ??= identity;
            if (row.Identity != identity)
            {
                if (!identity.Ephemeral)
                {
                    throw new FaultException(FaultKind.LogBroken, "log-identity-changed", $"{lane} was {row.Identity}, is {identity}");
                }

                row.Identity = identity;
                row.Next = logStart;
            }

            return new Writer(this, lane, ++row.Epoch, row.Next) { ParkedKeys = [.. row.Parked.Select(parked => parked.Key).Distinct()] };
        }
    }

    public Task<IReadOnlyList<LaneProgress>> ReadProgressAsync(CancellationToken cancellationToken)
    {
        lock (gate)
        {
            return Task.FromResult<IReadOnlyList<LaneProgress>>(
                [.. rows.Select(row => new LaneProgress(row.Key, row.Value.Next, SourcePosition.None, row.Value.Epoch, DateTimeOffset.UnixEpoch, false)
                {
                    ClusterId = row.Value.Identity?.ClusterId ?? "",
                })]);
        }
    }

    /// <summary>What was parked in a lane, in the order of commits.</summary>
    public IReadOnlyList<ParkedRecord> Parked(LaneId lane)
    {
        lock (gate)
        {
            return rows.TryGetValue(lane, out var row) ? [.. row.Parked] : [];
        }
    }

    /// <summary>Frees all parked rows of a lane and shuts its owner out, as a retry or discard does.</summary>
    public void Free(LaneId lane)
    {
        lock (gate)
        {
            rows[lane].Epoch++;
            rows[lane].Parked.Clear();
        }
    }

    private void Commit(ChangeBatch batch, long epoch)
    {
        lock (gate)
        {
            var row = rows[batch.Lane];
            if (row.Epoch != epoch || row.Next != batch.FromOffset)
            {
                Refusals++;
                throw new FaultException(FaultKind.Fenced, "fenced", $"{batch.Lane}: epoch {epoch} at {batch.FromOffset}, recorded {row.Epoch} at {row.Next}");
            }

            foreach (var change in batch.Changes)
            {
                row.Applied.Add(new AppliedChange(change.Offset, Encoding.UTF8.GetString(batch.Value(batch.Slot(change, 1))), epoch));
            }

            row.Parked.AddRange(batch.Parked);
            row.Next = batch.NextOffset;
            Commits++;
            LargestBatch = Math.Max(LargestBatch, batch.Changes.Count);
        }
    }

    private sealed class Row
    {
        public long Next { get; set; }

        public long Epoch { get; set; }

        public LogIdentity? Identity { get; set; }

        public List<AppliedChange> Applied { get; } = [];

        public List<ParkedRecord> Parked { get; } = [];
    }

    private sealed class Writer(FakeLaneStore store, LaneId lane, long epoch, long next) : ILaneWriter
    {
        private int busy;

        public LaneId Lane => lane;

        public long Epoch => epoch;

        public long NextOffset { get; private set; } = next;

        public SourcePosition HighestPosition => store.Highest;

        public IReadOnlyCollection<ChangeKey> ParkedKeys { get; init; } = [];

        public async Task<ApplyCounts> ApplyAsync(ChangeBatch batch, WriterTurn turn, CancellationToken cancellationToken)
        {
            await (store.BeforeTurn?.Invoke(batch, turn, cancellationToken) ?? Task.CompletedTask);
            return await ApplyAsync(batch, cancellationToken);
        }

        public async Task<ApplyCounts> ApplyAsync(ChangeBatch batch, CancellationToken cancellationToken)
        {
            if (Interlocked.Exchange(ref busy, 1) == 1)
            {
                throw new InvalidOperationException($"{lane}: two batches at once");
            }

            try
            {
                await (store.BeforeCommit?.Invoke(batch, cancellationToken) ?? Task.CompletedTask);
                store.Commit(batch, epoch);
                await (store.AfterCommit?.Invoke(batch) ?? Task.CompletedTask);
                NextOffset = batch.NextOffset;
                return new ApplyCounts(batch.Changes.Count, 0, 0, 0, 0, 0);
            }
            finally
            {
                Volatile.Write(ref busy, 0);
            }
        }
    }
}
