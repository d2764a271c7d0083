using System.Security.Cryptography;
using System.Text;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Postgres.Comparing;
using CdcMigrator.Reconciliation.Changes;
using CdcMigrator.Reconciliation.Passes;

namespace CdcMigrator.Service.Verifying;

/// <summary>A table in a session: its verification, and what of it was kept last.</summary>
internal sealed class VerifiedTable(ComparedTable table, TableVerification verification, ChangeIndex index, string? incarnation)
{
    private readonly string shape = ShapeOf(table, incarnation);
    private TableState? saved;

    /// <summary>What is compared, and why it cannot be.</summary>
    public string Shape => shape + table.Unverifiable;

    /// <summary>Its verification.</summary>
    public TableVerification Verification => verification;

    /// <summary>Why its last step failed; null where it did not.</summary>
    public Fault? Fault { get; set; }

    /// <summary>Changes of it that are not known to be in both sides yet.</summary>
    public int OpenChanges => index.OpenChanges;

    /// <summary>Whether keys wait to be verified, or what is kept may say more than is known.</summary>
    public bool NeedsKeys => index.DirtyKeys > 0 || index.AllDirty || verification.State.Wrong.Count > 0 || verification.State.Pending.Count > 0
        || verification.State.Verdict == Verdict.Error || Fault is not null;

    /// <summary>
    /// What tells whether earlier findings are of the table as it is now: everything that decides what is compared, whose log it is, and the columns' types, whose change
    /// rewrites rows without events.
    /// </summary>
    public static string ShapeOf(ComparedTable table, string? incarnation)
    {
        var text = $"{table.Target}|{table.Order}|{incarnation}|{string.Join(',', table.Key)}|{string.Join('|', table.Columns.Select(column => $"{column.Source} {column.SourceDeclaration ?? column.SourceType}>{column.Target} {column.TargetType}:{column.Form}{column.Mapped}{(column.IsNullable ? "?" : "")}"))}";
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }

    /// <summary>Keeps what is known, if it is more or other than what is kept.</summary>
    public async Task SaveAsync(VerificationStore store, long owner, CancellationToken cancellationToken)
    {
        if (!ReferenceEquals(saved, verification.State))
        {
            var state = verification.State;
            await store.SaveAsync(state, shape, saved, owner, cancellationToken);
            saved = state;
        }
    }

    /// <summary>What the last run over it found.</summary>
    public TableResult Result()
    {
        var state = verification.State;
        return new TableResult(table.Source, table.Target, state.RunVerdict, state.Reason, state.RowsSource, state.RowsTarget, state.Wrong.Count, state.Pending.Count, state.Evidence);
    }
}
