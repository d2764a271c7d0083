namespace CdcMigrator.Embedded.Workload;

/// <summary>Whether a database holds what the workload's writers were promised.</summary>
/// <param name="ReceiptsExpected">Transactions that must be there.</param>
/// <param name="LostReceipts">Those of them whose receipt is missing.</param>
/// <param name="GhostReceipts">Transactions that did not happen but whose receipt is there.</param>
/// <param name="RowsExpected">Rows whose state is known.</param>
/// <param name="WrongRows">Those of them that are missing, different, or there although deleted.</param>
public sealed record LedgerVerdict(
    long ReceiptsExpected, IReadOnlyList<Guid> LostReceipts, IReadOnlyList<Guid> GhostReceipts, long RowsExpected, IReadOnlyList<RowKey> WrongRows)
{
    /// <summary>Nothing is lost, nothing is wrong.</summary>
    public bool Kept => LostReceipts.Count == 0 && GhostReceipts.Count == 0 && WrongRows.Count == 0;

    /// <summary>One line for people, naming the first few.</summary>
    public override string ToString() =>
        $"{LostReceipts.Count} of {ReceiptsExpected} acknowledged transactions lost{Some(LostReceipts)}, {GhostReceipts.Count} ghosts{Some(GhostReceipts)}, "
        + $"{WrongRows.Count} of {RowsExpected} rows wrong{Some(WrongRows)}";

    private static string Some<T>(IReadOnlyList<T> items) =>
        items.Count == 0 ? "" : $" ({string.Join(", ", items.Take(5))}{(items.Count > 5 ? ", …" : "")})";
}
