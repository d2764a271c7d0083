using System.Diagnostics;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Log;
using CdcMigrator.Reconciliation.Changes;
using CdcMigrator.Reconciliation.Deciding;
using CdcMigrator.Reconciliation.Passes;

namespace CdcMigrator.Benchmarks.Sides;

/// <summary>Comparisons as the reconciler makes them, of sides at rest.</summary>
internal static class Pass
{
    public static async Task<double> TimedAsync(Func<Task> work)
    {
        GC.Collect();
        var began = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    /// <summary>Every chunk as a verification takes them; what it finds is asserted.</summary>
    public static async Task RunAsync(ComparedTable table, IComparedSides sides, long rows)
    {
        var limits = new VerificationLimits();
        var sizer = new ChunkSizer(limits.ChunkTime);
        var comparer = await ComparerAsync(table, sides);
        RowKey? after = null;
        long compared = 0;
        Comparison found;
        do
        {
            found = await comparer.CompareChunksAsync(after, sizer, limits.SnapshotTime, CancellationToken.None);
            compared += found.Rows;
            if (found.Wrong.Count + found.InFlight.Count > 0)
            {
                throw new InvalidOperationException($"{found.Wrong.Count} rows differ: {string.Join("; ", found.Wrong.Take(3))}");
            }

            after = found.Last;
        }
        while (!found.AtEnd);

        if (compared != rows)
        {
            throw new InvalidOperationException($"{compared} rows were compared");
        }
    }

    /// <summary>Keys as a verification takes them when they have changed; what it finds is asserted.</summary>
    public static async Task KeysAsync(ComparedTable table, IComparedSides sides, IReadOnlyList<RowKey> keys, int atOnce)
    {
        var comparer = await ComparerAsync(table, sides);
        foreach (var some in keys.Chunk(atOnce))
        {
            var found = await comparer.CompareKeysAsync(some, CancellationToken.None);
            if (found.Wrong.Count + found.InFlight.Count > 0 || found.Rows != some.Length)
            {
                throw new InvalidOperationException($"{found.Wrong.Count} of {found.Rows} rows differ");
            }
        }
    }

    private static async Task<TableComparer> ComparerAsync(ComparedTable table, IComparedSides sides) =>
        new(table, "t", new ChangeIndex(), sides, await StillReader.CreateAsync(sides), TimeProvider.System);

    /// <summary>A log in which nothing happens.</summary>
    private sealed class StillReader(ISourceView began) : IChangeReader
    {
        public IReadOnlyDictionary<LaneId, long> Positions { get; } = new Dictionary<LaneId, long>();

        public ISourceView Began => began;

        public static async Task<StillReader> CreateAsync(IComparedSides sides)
        {
            await using var snapshot = await sides.OpenSourceAsync(CancellationToken.None);
            return new StillReader(snapshot.View);
        }

        public Task PassAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
