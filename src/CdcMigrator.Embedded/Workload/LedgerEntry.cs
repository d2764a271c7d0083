namespace CdcMigrator.Embedded.Workload;

/// <summary>One transaction of the workload in its ledger.</summary>
/// <param name="Receipt">Id of the row it wrote to <c>receipts</c>.</param>
/// <param name="Writer">Writer, from 0.</param>
/// <param name="Sequence">Number of the transaction within its writer, from 1.</param>
/// <param name="Side">Name of the side it was sent to.</param>
/// <param name="Rows">Every row it touched, as it leaves them.</param>
public sealed record LedgerEntry(Guid Receipt, int Writer, long Sequence, string Side, IReadOnlyList<RowState> Rows)
{
    /// <summary>What is known of it. Only the ledger changes it.</summary>
    public WriteOutcome Outcome { get; internal set; } = WriteOutcome.Intended;
}
