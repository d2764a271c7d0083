using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Apply;

namespace CdcMigrator.IntegrationTests.Postgres.Apply.Histories;

/// <summary>The source as its rows are at the end of a history: what lanes read of it while they catch up.</summary>
internal sealed class HistorySource : ISourceRows
{
    public Dictionary<string, string?[]> Rows { get; set; } = [];

    public Task<IReadOnlyList<string?[]?>> ReadAsync(
        TableRoute route, IReadOnlyList<string[]> keys, IReadOnlyList<int> columns, IReadOnlyCollection<uint> transactions, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<string?[]?>>([.. keys.Select(key => Rows.TryGetValue(key[0], out var row) ? columns.Select(column => row[column]).ToArray() : null)]);

    public IAsyncEnumerable<string[]> ReadKeysAsync(TableRoute route, IReadOnlyCollection<uint> transactions, CancellationToken cancellationToken) =>
        Rows.Keys.Select(key => new[] { key }).ToAsyncEnumerable();

    public Task<IReadOnlyCollection<uint>> ReadRunningAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyCollection<uint>>([]);
}
