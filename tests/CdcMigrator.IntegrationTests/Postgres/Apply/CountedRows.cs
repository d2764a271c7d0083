using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Apply;

namespace CdcMigrator.IntegrationTests.Postgres.Apply;

/// <summary>A source's rows, with the questions counted.</summary>
internal sealed class CountedRows(ISourceRows rows) : ISourceRows
{
    private int reads;

    /// <summary>How often rows were asked for.</summary>
    public int Reads => reads;

    public Task<IReadOnlyList<string?[]?>> ReadAsync(
        TableRoute route, IReadOnlyList<string[]> keys, IReadOnlyList<int> columns, IReadOnlyCollection<uint> transactions, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref reads);
        return rows.ReadAsync(route, keys, columns, transactions, cancellationToken);
    }

    public IAsyncEnumerable<string[]> ReadKeysAsync(TableRoute route, IReadOnlyCollection<uint> transactions, CancellationToken cancellationToken) =>
        rows.ReadKeysAsync(route, transactions, cancellationToken);

    public Task<IReadOnlyCollection<uint>> ReadRunningAsync(CancellationToken cancellationToken) => rows.ReadRunningAsync(cancellationToken);
}
