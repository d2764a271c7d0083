using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Reconciliation.Changes;

namespace CdcMigrator.Reconciliation.Checks;

/// <summary>
/// A snapshot of each side that are looked at together, and which changes of all tables lie in one of them only (rule R2). Comparisons of rows may go on beside it:
/// until it is disposed no index forgets a change that may explain a difference here.
/// </summary>
public sealed class CheckedPair : IAsyncDisposable
{
    private readonly IChangeReader reader;
    private readonly IReadOnlyList<CheckedTable> tables;
    private readonly IReadOnlyList<IDisposable> pins;
    private readonly IReadOnlyDictionary<TableName, SnapshotPair> pairs;
    private bool passed;

    private CheckedPair(
        IChangeReader reader, IReadOnlyList<CheckedTable> tables, IReadOnlyList<IDisposable> pins, ISourceSnapshot source, ITargetSnapshot target, IReadOnlyDictionary<TableName, SnapshotPair> pairs)
    {
        this.reader = reader;
        this.tables = tables;
        this.pins = pins;
        this.pairs = pairs;
        Source = source;
        Target = target;
    }

    /// <summary>The source's.</summary>
    public ISourceSnapshot Source { get; }

    /// <summary>The target's.</summary>
    public ITargetSnapshot Target { get; }

    /// <summary>Takes both snapshots.</summary>
    /// <exception cref="Domain.Faults.FaultException">A side cannot be asked.</exception>
    public static async Task<CheckedPair> OpenAsync(IComparedSides sides, IChangeReader reader, IReadOnlyList<CheckedTable> tables, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sides);
        ArgumentNullException.ThrowIfNull(reader);
        ArgumentNullException.ThrowIfNull(tables);
        IReadOnlyList<IDisposable> pins = [.. tables.Select(table => table.Index.Pin())];
        ITargetSnapshot? target = null;
        try
        {
            // In the order of a comparison: the target, positions, the source.
            target = await sides.OpenTargetAsync(cancellationToken).ConfigureAwait(false);
            var positions = reader.Positions;
            var source = await sides.OpenSourceAsync(cancellationToken).ConfigureAwait(false);
            var pairs = tables.ToDictionary(table => table.Table.Source, table => new SnapshotPair(
                source.View,
                target.Progress.Where(lane => lane.Key.Topic == table.Topic).ToDictionary(lane => lane.Key.Partition, lane => lane.Value),
                positions.Where(lane => lane.Key.Topic == table.Topic).ToDictionary(lane => lane.Key.Partition, lane => lane.Value)));
            return new CheckedPair(reader, tables, pins, source, target, pairs);
        }
        catch
        {
            Release(pins);
            if (target is not null)
            {
                await target.DisposeAsync().ConfigureAwait(false);
            }

            throw;
        }
    }

    /// <summary>Waits until everything the snapshots can have was told. To be called before anything is asked about changes.</summary>
    /// <exception cref="Domain.Faults.FaultException">It cannot be known: nothing may be decided.</exception>
    public async Task PassAsync(CancellationToken cancellationToken)
    {
        if (!passed)
        {
            await reader.PassAsync(cancellationToken).ConfigureAwait(false);
            passed = true;
        }
    }

    /// <summary>Whether a change explains that a row of a table differs between the snapshots; true where that cannot be known.</summary>
    public bool Explains(TableName table, RowKey key) => Unknown || Find(table) is not { } found || found.Index.Explains(key, pairs[table]);

    /// <summary>Whether any change of a table lies in one snapshot only; true where that cannot be known.</summary>
    public bool ExplainsAny(TableName table) => Unknown || Find(table) is not { } found || found.Index.ExplainsAny(pairs[table]);

    /// <summary>Whether any change of any table lies in one snapshot only; true where that cannot be known.</summary>
    public bool ExplainsAny() => Unknown || tables.Any(table => table.Index.ExplainsAny(pairs[table.Table.Source]));

    /// <summary>Keys of a table with a change that lies in one snapshot only; null where these are not known, or more than so many.</summary>
    public IReadOnlyList<RowKey>? Explained(TableName table, int most) =>
        Unknown || Find(table) is not { } found ? null : found.Index.Explained(pairs[table], most);

    /// <summary>Whether records of a table's rows are parked, so that the target lacks changes; true where that cannot be told.</summary>
    public async Task<bool> HasParkedAsync(TableName table, CancellationToken cancellationToken) =>
        Find(table) is not { } found || await Target.ParkedAsync(found.Table, cancellationToken).ConfigureAwait(false) is not { Count: 0 };

    /// <summary>The snapshots in the databases' words.</summary>
    public override string ToString() =>
        $"source snapshot {Source.View}; target progress {string.Join(", ", Target.Progress.OrderBy(lane => lane.Key.ToString(), StringComparer.Ordinal).Select(lane => $"{lane.Key}:{lane.Value}"))}";

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        Release(pins);
        await Target.DisposeAsync().ConfigureAwait(false);
        await Source.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>A change from before the reader's beginning may be missing in the source's snapshot, and nothing was told of it.</summary>
    private bool Unknown => !passed || !Source.View.IsPast(reader.Began);

    private CheckedTable? Find(TableName table) => tables.FirstOrDefault(found => found.Table.Source == table);

    private static void Release(IReadOnlyList<IDisposable> pins)
    {
        foreach (var pin in pins)
        {
            pin.Dispose();
        }
    }
}
