namespace CdcMigrator.Embedded.Workload;

/// <summary>What must be true of the side that has all writes.</summary>
/// <param name="Receipts">Receipts that must be there.</param>
/// <param name="Abandoned">Receipts that must not be there.</param>
/// <param name="Rows">Digest of each row the writers own; null where the row must not be there.</param>
public sealed record LedgerExpectation(IReadOnlySet<Guid> Receipts, IReadOnlySet<Guid> Abandoned, IReadOnlyDictionary<RowKey, string?> Rows)
{
    /// <summary>Compares with what a database holds: its receipts, and the digests of its rows.</summary>
    public LedgerVerdict Judge(IReadOnlySet<Guid> receipts, IReadOnlyDictionary<RowKey, string> rows)
    {
        ArgumentNullException.ThrowIfNull(receipts);
        ArgumentNullException.ThrowIfNull(rows);
        return new LedgerVerdict(
            Receipts.Count,
            [.. Receipts.Where(id => !receipts.Contains(id))],
            [.. Abandoned.Where(receipts.Contains)],
            Rows.Count,
            [.. Rows.Where(pair => !string.Equals(rows.GetValueOrDefault(pair.Key), pair.Value, StringComparison.Ordinal)).Select(pair => pair.Key)]);
    }
}
