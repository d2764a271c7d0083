using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Postgres.Apply;

/// <summary>
/// Reads columns of rows from the source by key, for what events do not carry (invariant A5). A port, because the source may be another
/// engine. Thread-safe.
/// </summary>
public interface ISourceRows
{
    /// <summary>Reads the rows as they are now, in one query and one snapshot.</summary>
    /// <param name="route">Their table.</param>
    /// <param name="keys">Key values as text, in the order of <c>route.Key.Columns</c>, each key once.</param>
    /// <param name="columns">Ordinals of the target columns whose source values are wanted.</param>
    /// <param name="transactions">
    /// Source transactions (ids modulo 2^32) that the snapshot must see: a transaction reaches the log a moment before others see it, and a row
    /// it inserted must not be taken for deleted.
    /// </param>
    /// <param name="cancellationToken">Stops the query.</param>
    /// <returns>One entry a key in the same order: the values as PostgreSQL text, or null where the source has no such row any more.</returns>
    /// <exception cref="Domain.Faults.FaultException">Unreachable or Transient: try again. Configuration: the source refuses the query.</exception>
    /// <exception cref="SourceValueException">A row holds a value that the target's column cannot hold.</exception>
    Task<IReadOnlyList<string?[]?>> ReadAsync(
        TableRoute route,
        IReadOnlyList<string[]> keys,
        IReadOnlyList<int> columns,
        IReadOnlyCollection<uint> transactions,
        CancellationToken cancellationToken);

    /// <summary>Reads the keys of all rows of a table, in one snapshot that sees the transactions. In no order.</summary>
    /// <param name="route">The table.</param>
    /// <param name="transactions">As for <see cref="ReadAsync"/>.</param>
    /// <param name="cancellationToken">Stops the query.</param>
    /// <exception cref="Domain.Faults.FaultException">As for reading.</exception>
    IAsyncEnumerable<string[]> ReadKeysAsync(TableRoute route, IReadOnlyCollection<uint> transactions, CancellationToken cancellationToken);

    /// <summary>
    /// Ids, modulo 2^32, of the transactions that run in the source now. Every change in the log belongs to one of them or to one that is visible
    /// already, so a snapshot that sees them all sees everything the log held at the call.
    /// </summary>
    /// <exception cref="Domain.Faults.FaultException">As for reading.</exception>
    Task<IReadOnlyCollection<uint>> ReadRunningAsync(CancellationToken cancellationToken);

    /// <summary>
    /// As <see cref="ReadRunningAsync"/>, for the changes of one table that the log held at the call: fewer have to be waited for.
    /// </summary>
    /// <exception cref="Domain.Faults.FaultException">As for reading.</exception>
    Task<IReadOnlyCollection<uint>> ReadWritersAsync(TableRoute route, CancellationToken cancellationToken) => ReadRunningAsync(cancellationToken);
}
